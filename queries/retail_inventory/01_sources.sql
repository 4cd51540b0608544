-- What moves goods: shipments bring them into a store, sales take them out.
-- Both topics are keyed by store, so that one store's events stay in order.
CREATE STREAM IF NOT EXISTS shipments (
  store_id VARCHAR KEY,
  item VARCHAR,
  quantity INT,
  supplier VARCHAR,
  event_time BIGINT
) WITH (
  KAFKA_TOPIC = 'shipments',
  VALUE_FORMAT = 'JSON',
  PARTITIONS = 6,
  TIMESTAMP = 'event_time'
);

CREATE STREAM IF NOT EXISTS sales (
  store_id VARCHAR KEY,
  item VARCHAR,
  quantity INT,
  price DECIMAL(8, 2),
  event_time BIGINT
) WITH (
  KAFKA_TOPIC = 'sales',
  VALUE_FORMAT = 'JSON',
  PARTITIONS = 6,
  TIMESTAMP = 'event_time'
);
