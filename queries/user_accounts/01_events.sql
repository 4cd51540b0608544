-- The domain events of a user service: one topic, 50 partitions, keyed by user.
CREATE STREAM IF NOT EXISTS user_events (
  user_id VARCHAR KEY,
  type VARCHAR,
  email VARCHAR,
  name VARCHAR,
  address STRUCT<street VARCHAR, city VARCHAR>,
  event_time BIGINT
) WITH (
  KAFKA_TOPIC = 'user_events',
  VALUE_FORMAT = 'JSON',
  PARTITIONS = 50,
  TIMESTAMP = 'event_time'
);
