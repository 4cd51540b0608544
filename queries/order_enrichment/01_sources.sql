CREATE TABLE IF NOT EXISTS customers (
  customer_id VARCHAR PRIMARY KEY,
  name VARCHAR,
  tier VARCHAR
) WITH (KAFKA_TOPIC = 'customers', VALUE_FORMAT = 'JSON', PARTITIONS = 4);

CREATE TABLE IF NOT EXISTS products (
  product_id INT PRIMARY KEY,
  title VARCHAR,
  price DECIMAL(8, 2)
) WITH (KAFKA_TOPIC = 'products', VALUE_FORMAT = 'JSON', PARTITIONS = 4);

CREATE STREAM IF NOT EXISTS orders (
  order_id INT KEY,
  customer_id VARCHAR,
  product_id INT,
  quantity INT
) WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', PARTITIONS = 4);

CREATE STREAM IF NOT EXISTS payments (
  payment_id VARCHAR KEY,
  order_id INT,
  amount DECIMAL(10, 2),
  method VARCHAR
) WITH (KAFKA_TOPIC = 'payments', VALUE_FORMAT = 'JSON', PARTITIONS = 4);
