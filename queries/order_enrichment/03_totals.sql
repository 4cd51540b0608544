CREATE TABLE IF NOT EXISTS spending_by_tier AS
  SELECT
    tier,
    COUNT(*) AS orders,
    SUM(total) AS spent
  FROM enriched_orders
  WHERE tier IS NOT NULL
  GROUP BY tier
  EMIT CHANGES;

-- Two tables on the same key: what a customer is and what they did.
CREATE TABLE IF NOT EXISTS customer_activity AS
  SELECT
    customer_id,
    COUNT(*) AS orders,
    SUM(quantity) AS pieces
  FROM orders
  GROUP BY customer_id
  EMIT CHANGES;

CREATE TABLE IF NOT EXISTS customer_overview AS
  SELECT
    c.customer_id AS customer_id,
    c.name AS name,
    c.tier AS tier,
    a.orders AS orders,
    a.pieces AS pieces
  FROM customers c
  LEFT JOIN customer_activity a ON c.customer_id = a.customer_id
  EMIT CHANGES;
