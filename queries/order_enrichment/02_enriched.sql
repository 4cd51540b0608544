-- Each order with who bought and what: the stream goes through two repartitions, once for each table's key.
CREATE STREAM IF NOT EXISTS enriched_orders AS
  SELECT
    o.order_id AS order_id,
    p.product_id AS product_id,
    c.customer_id AS customer_id,
    c.name AS customer,
    c.tier AS tier,
    p.title AS product,
    o.quantity AS quantity,
    CAST(p.price * o.quantity AS DECIMAL(10, 2)) AS total
  FROM orders o
  LEFT JOIN customers c ON o.customer_id = c.customer_id
  LEFT JOIN products p ON o.product_id = p.product_id
  PARTITION BY o.order_id
  EMIT CHANGES;

-- Orders with the payments that came within an hour.
CREATE STREAM IF NOT EXISTS paid_orders AS
  SELECT
    o.order_id AS order_id,
    o.product_id AS product_id,
    p.amount AS amount,
    p.method AS method
  FROM orders o
  INNER JOIN payments p WITHIN 1 HOUR GRACE PERIOD 1 DAY ON o.order_id = p.order_id
  EMIT CHANGES;
