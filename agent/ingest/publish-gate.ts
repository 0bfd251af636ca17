import { Buffer } from 'node:buffer';
import type { Client, PublishPacket } from 'aedes';
import type { Clock } from '../domain/clock.js';
import type { MqttRefusal } from '../domain/refusal.js';
import type { Rights } from './access.js';
import type { GroupCommit } from './group-commit.js';
import { createPubacks } from './pubacks.js';
import type { Sink } from './publication.js';
import { Refused } from './refusals.js';
import type { SessionStore } from './session-store.js';
import { isTopic, levelsOf } from './topic-filter.js';

export interface TopicLimits {
  readonly maxTopicBytes: number;
  readonly maxTopicLevels: number;
}

export type Answer = (error?: Error | null) => void;

interface Surroundings {
  readonly commits: GroupCommit;
  readonly sink: Sink;
  readonly sessions: SessionStore;
  readonly limits: TopicLimits;
  readonly clock: Clock;
  rightsOf(client: Client | null): Rights | undefined;
  /** Whether anybody has subscribed to it. */
  isHeard(topic: string): boolean;
  refuse(reason: MqttRefusal, client: Client | null, detail: string): void;
}

/**
 * aedes sends the PUBACK before any `publish` listener sees the packet; of its hooks only this one runs earlier.
 * Answering with an error closes the connection without a PUBACK, so that the client sends again.
 */
export function createPublishGate(surroundings: Surroundings) {
  const { commits, sink, sessions, clock } = surroundings;
  const pubacks = createPubacks();
  /** QoS 2 packets whose commit is under way, with those who wait for its end. */
  const committing = new WeakMap<Client, Map<number, Answer[]>>();

  function store(client: Client, packet: PublishPacket, answer: Answer): void {
    // A meter that asks to retain means "latest", and would have its reading replayed to every subscriber for ever.
    packet.retain = false;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const publication = { topic: packet.topic, payload, repeated: packet.dup === true, receivedAtMs: clock.now() };
    commits.add(publication, (error) => {
      if (error === undefined && isAcknowledgedHere(client, packet)) {
        // For aedes there is nothing left to acknowledge.
        packet.qos = 0;
      } else pubacks.flush(client);
      answer(error === undefined ? null : new Refused(error.message));
    });
  }

  /** Most readings are for the gateway alone; what somebody hears as well goes the whole way through aedes. */
  const isAcknowledgedHere = (client: Client, { qos, topic, messageId }: PublishPacket): boolean =>
    qos === 1 && messageId !== undefined && !surroundings.isHeard(topic) && pubacks.add(client, messageId);

  /** Its message id stands for it until the PUBREL, so that a repeat is no second reading, whatever it carries. */
  function storeOnce(client: Client, packet: PublishPacket, answer: Answer): void {
    const id = packet.messageId ?? 0;
    if (!sessions.isReceived(client.id, id)) {
      storeNew(client, packet, answer);
      return;
    }
    // Not before a PUBREL that came in front of it has had its effect: then it is a new packet.
    setImmediate(() => {
      // A repeat: aedes finds it as well, within this call, and sends the PUBREC again.
      if (sessions.isReceived(client.id, id)) answer(null);
      else storeNew(client, packet, answer);
    });
  }

  function storeNew(client: Client, packet: PublishPacket, answer: Answer): void {
    const id = packet.messageId ?? 0;
    const ofClient = committing.get(client) ?? new Map<number, Answer[]>();
    committing.set(client, ofClient);
    const waiting = ofClient.get(id);
    if (waiting !== undefined) {
      waiting.push(answer);
      return;
    }
    const repeats: Answer[] = [];
    ofClient.set(id, repeats);
    store(client, packet, (error) => {
      ofClient.delete(id);
      answer(error);
      // Once aedes has noted the first one.
      for (const repeat of repeats) setImmediate(repeat, error);
    });
  }

  return (client: Client | null, packet: PublishPacket, answer: Answer): void => {
    const { topic } = packet;
    const refusal = refusalOf(client, packet, surroundings);
    if (refusal !== undefined) {
      surroundings.refuse(refusal, client, topic);
      answer(new Refused(`${refusal}: ${topic}`));
    } else if (!sink.isReading(topic)) answer(null);
    else if (client === null || isWill(packet)) answer(new Refused('a will is not a reading'));
    else if (packet.qos === 2) storeOnce(client, packet, answer);
    else store(client, packet, answer);
  };
}

function refusalOf(
  client: Client | null,
  { topic }: PublishPacket,
  { limits, rightsOf }: Surroundings,
): MqttRefusal | undefined {
  const tooLong = Buffer.byteLength(topic) > limits.maxTopicBytes || levelsOf(topic) > limits.maxTopicLevels;
  if (tooLong || !isTopic(topic)) return 'topic';
  return rightsOf(client)?.mayPublish(topic) === true ? undefined : 'publish_not_allowed';
}

/** A last will reaches the same hook, sometimes without its client; only what the parser made has `cmd` and no broker's mark. */
const isWill = (packet: PublishPacket): boolean => 'brokerId' in packet || !('cmd' in packet);
