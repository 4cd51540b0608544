-- The read side: what each store has of each item, by the pair of them.
CREATE TABLE IF NOT EXISTS InventoryTable
  WITH (KAFKA_TOPIC = 'inventory', KEY_FORMAT = 'JSON', PARTITIONS = 6) AS
  SELECT
    store_id,
    item,
    SUM(received) - SUM(sold) AS on_hand,
    SUM(received) AS received,
    SUM(sold) AS sold,
    SUM(revenue) AS revenue,
    COUNT(*) AS movements
  FROM stock_movements
  GROUP BY store_id, item
  EMIT CHANGES;

-- What the buyer looks at in the morning.
CREATE TABLE IF NOT EXISTS ReorderTable
  WITH (KAFKA_TOPIC = 'reorder', KEY_FORMAT = 'JSON', PARTITIONS = 6) AS
  SELECT
    store_id,
    item,
    SUM(received) - SUM(sold) AS on_hand
  FROM stock_movements
  GROUP BY store_id, item
  HAVING SUM(received) - SUM(sold) < 10
  EMIT CHANGES;
