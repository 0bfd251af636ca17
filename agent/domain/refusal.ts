/** Why the embedded broker turned a connection, a packet or a message away; docs/publishing.md lists them. */
export const MQTT_REFUSALS = {
  connections: 'More connections than `mqtt.max_connections`.',
  connections_of_address: 'More connections of one address than `mqtt.limits.max_connections_per_address`.',
  connection_rate: 'New connections come faster than `mqtt.limits.connections_per_second` or its share per address.',
  connect_timeout: 'A connection sent no CONNECT within `mqtt.limits.connect_timeout_s`.',
  origin: 'A page in a browser, of an origin that `mqtt.websocket.allowed_origins` does not name.',
  protocol: 'What came was not MQTT 3.1.1.',
  packet_too_large: 'A packet announced more bytes than `mqtt.limits.max_packet_bytes`.',
  packet_too_slow: 'A packet was not complete within `mqtt.limits.packet_timeout_s`.',
  client_id: 'The client id is too long, or belongs to another user.',
  no_credentials: 'No user name and no certificate, where anonymous clients are not let in.',
  bad_credentials: 'The user, the password or the certificate is not a valid one.',
  busy: 'Too many passwords wait to be checked (`mqtt.limits.max_waiting_passwords`); the client tries again.',
  silent: 'A connection was silent for longer than its keep-alive, or `mqtt.limits.max_keepalive_s`, allows.',
  publish_not_allowed: 'A publish, or a will, on a topic that the client has no right to.',
  subscribe_not_allowed: 'A subscription to topics that the client has no right to.',
  topic: 'A topic or a filter that is malformed, too long or has too many levels.',
  subscriptions: 'More subscriptions than `mqtt.limits.max_subscriptions`.',
  slow_subscriber: 'A subscriber did not read what was sent to it.',
  retained: 'A retained message beyond `mqtt.limits.max_retained` or `max_retained_bytes` was passed on, but not kept.',
  queued: 'A message for an absent subscriber beyond the bounds of its queue was dropped.',
  sessions: 'The session of a client that is long gone was dropped, to stay within `mqtt.limits.max_sessions`.',
} as const;

export type MqttRefusal = keyof typeof MQTT_REFUSALS;
