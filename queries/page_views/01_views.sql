CREATE STREAM IF NOT EXISTS page_views (
  user_id VARCHAR KEY,
  page VARCHAR,
  duration_ms INT,
  viewed_at VARCHAR
) WITH (
  KAFKA_TOPIC = 'page_views',
  VALUE_FORMAT = 'JSON',
  PARTITIONS = 4,
  TIMESTAMP = 'viewed_at',
  TIMESTAMP_FORMAT = 'yyyy-MM-dd''T''HH:mm:ss.SSSX'
);
