-- One stream of movements from both: the shape in which they can be added up.
CREATE STREAM IF NOT EXISTS stock_movements
  WITH (KAFKA_TOPIC = 'stock_movements', PARTITIONS = 6) AS
  SELECT
    store_id,
    item,
    quantity AS received,
    0 AS sold,
    CAST(0 AS DECIMAL(12, 2)) AS revenue
  FROM shipments
  EMIT CHANGES;

INSERT INTO stock_movements WITH (QUERY_ID = 'sales_to_movements')
  SELECT
    store_id,
    item,
    0 AS received,
    quantity AS sold,
    CAST(price * quantity AS DECIMAL(12, 2)) AS revenue
  FROM sales
  EMIT CHANGES;
