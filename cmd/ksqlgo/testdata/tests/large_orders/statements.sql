CREATE STREAM orders (customer VARCHAR KEY, amount INT) WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON');
CREATE STREAM large_orders AS SELECT * FROM orders WHERE amount >= 100;
CREATE TABLE spent AS SELECT customer, SUM(amount) AS amount FROM orders GROUP BY customer;
