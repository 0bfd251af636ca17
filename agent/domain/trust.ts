/** Whose word the time of this gateway rests on; the weightiest first. */
export const EVIDENCE = {
  synchronised: 'A time service keeps the clock of this machine.',
  centre: 'The centre has told the time.',
  person: 'A person has said that the clock of this machine is right.',
  carried: 'Known since the gateway ran before; the machine has counted on.',
  meters: 'The clocks of the meters agree.',
  unverified: 'The clock of this machine can be right; nothing confirms it.',
} as const;
export type Evidence = keyof typeof EVIDENCE;

/** Why the time is not known. */
export const DOUBTS = {
  behind: 'The clock of this machine stands before the program was made or before the last reading.',
  waiting: 'No time service and no centre has confirmed the clock of this machine yet.',
  stepped: 'The clock of this machine was set while the gateway ran, and nothing says which time is right.',
} as const;
export type Doubt = keyof typeof DOUBTS;

export type Trust =
  | { readonly state: 'trusted'; readonly by: Evidence }
  | { readonly state: 'untrusted'; readonly why: Doubt };

/** `auto`: evidence where it can be had. `evidence`: nothing else. `plausible`: what can be right is taken at once. */
export const STRICTNESS = ['auto', 'evidence', 'plausible'] as const;
export type Strictness = (typeof STRICTNESS)[number];

export const describeTrust = (trust: Trust): string =>
  trust.state === 'trusted' ? EVIDENCE[trust.by] : DOUBTS[trust.why];
