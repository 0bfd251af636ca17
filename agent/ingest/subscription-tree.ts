interface Node {
  readonly children: Map<string, Node>;
  /** Granted QoS by client. */
  readonly clients: Map<string, number>;
}

/** Who is to get what is published, by the levels of the filters. */
export interface SubscriptionTree {
  add(filter: string, client: string, qos: number): void;
  remove(filter: string, client: string): void;
  /** Each client once, with the highest QoS of the filters that fit. */
  match(topic: string): ReadonlyMap<string, number>;
}

export function createSubscriptionTree(): SubscriptionTree {
  const root = createNode();

  function collect(node: Node, levels: readonly string[], at: number, found: Map<string, number>): void {
    const level = levels[at];
    // Wildcards in front do not reach topics that begin with $ (MQTT 3.1.1, 4.7.2).
    const wild = at > 0 || level?.startsWith('$') !== true;
    const rest = wild ? node.children.get('#') : undefined;
    if (rest !== undefined) gather(rest, found);
    if (level === undefined) {
      gather(node, found);
      return;
    }
    const exact = node.children.get(level);
    if (exact !== undefined) collect(exact, levels, at + 1, found);
    const any = wild ? node.children.get('+') : undefined;
    if (any !== undefined) collect(any, levels, at + 1, found);
  }

  return {
    add(filter, client, qos) {
      let node = root;
      for (const level of filter.split('/')) {
        const next = node.children.get(level) ?? createNode();
        node.children.set(level, next);
        node = next;
      }
      node.clients.set(client, qos);
    },
    remove(filter, client) {
      const trail: { readonly node: Node; readonly level: string }[] = [];
      let node = root;
      for (const level of filter.split('/')) {
        const next = node.children.get(level);
        if (next === undefined) return;
        trail.push({ node, level });
        node = next;
      }
      node.clients.delete(client);
      for (const { node: parent, level } of trail.reverse()) {
        const child = parent.children.get(level);
        if (child === undefined || child.clients.size > 0 || child.children.size > 0) return;
        parent.children.delete(level);
      }
    },
    match(topic) {
      if (root.children.size === 0) return NOBODY;
      const found = new Map<string, number>();
      collect(root, topic.split('/'), 0, found);
      return found;
    },
  };
}

const NOBODY: ReadonlyMap<string, number> = new Map();

const createNode = (): Node => ({ children: new Map(), clients: new Map() });

function gather({ clients }: Node, found: Map<string, number>): void {
  for (const [client, qos] of clients) found.set(client, Math.max(qos, found.get(client) ?? 0));
}
