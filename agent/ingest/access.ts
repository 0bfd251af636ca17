import { createPattern } from './topic-filter.js';

export const ROLES = ['meter', 'gateway', 'reader'] as const;
export type RoleName = (typeof ROLES)[number];

export interface RoleTopics {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What one client may do. */
export interface Rights {
  mayPublish(topic: string): boolean;
  /** A filter that it subscribes to, or a topic that is about to be sent to it. */
  mayRead(filter: string): boolean;
}

/** Beyond every role: what only the broker itself says, or keeps for itself. */
const isReserved = (topic: string): boolean => topic.startsWith('$');
const isOurs = (topic: string): boolean => topic === 'wattwarden' || topic.startsWith('wattwarden/');

/** A program of this machine without a name. */
export const LOCAL_RIGHTS: Rights = {
  mayPublish: (topic) => !isReserved(topic) && !isOurs(topic),
  mayRead: (filter) => !isReserved(filter),
};

export function createRights(user: string, topics: RoleTopics): Rights {
  const patternsOf = (texts: readonly string[]) => texts.map((text) => createPattern(text.replaceAll('%u', user)));
  const publish = patternsOf(topics.publish);
  const read = patternsOf(topics.subscribe);
  return {
    mayPublish: (topic) => LOCAL_RIGHTS.mayPublish(topic) && publish.some((pattern) => pattern.covers(topic)),
    mayRead: (filter) => LOCAL_RIGHTS.mayRead(filter) && read.some((pattern) => pattern.covers(filter)),
  };
}

/** Names become levels of topics; none of these can be a wildcard or a separator. */
const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
export const USER_NAME_RULE = '1-64 characters of A-Z a-z 0-9 . _ @ -, beginning with a letter or digit';
export const isUserName = (text: string): boolean => USER_NAME.test(text);
