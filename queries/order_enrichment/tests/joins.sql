-- Run them with: ksqlgo test queries/order_enrichment

----------------------------------------------------------------------------------------------------
--@test: an order is joined with what was known when it came
----------------------------------------------------------------------------------------------------
RUN SCRIPT '../01_sources.sql';
RUN SCRIPT '../02_enriched.sql';

INSERT INTO customers VALUES ('c1', 'Ada', 'gold');
INSERT INTO products VALUES (7, 'Lamp', 19.90);
INSERT INTO orders VALUES (100, 'c1', 7, 3);
INSERT INTO customers VALUES ('c1', 'Ada', 'silver');
INSERT INTO orders VALUES (101, 'nobody', 7, 1);

ASSERT VALUES enriched_orders (order_id, customer, tier, product, total) VALUES (100, 'Ada', 'gold', 'Lamp', 59.70);
ASSERT VALUES enriched_orders (order_id, customer, tier, product, total) VALUES (101, NULL, NULL, 'Lamp', 19.90);

----------------------------------------------------------------------------------------------------
--@test: a payment counts within an hour
----------------------------------------------------------------------------------------------------
RUN SCRIPT '../01_sources.sql';
RUN SCRIPT '../02_enriched.sql';

INSERT INTO orders (rowtime, order_id, product_id, quantity) VALUES (0, 100, 7, 1);
INSERT INTO payments (rowtime, payment_id, order_id, amount, method) VALUES (3600001, 'late', 100, 5.00, 'card');
INSERT INTO payments (rowtime, payment_id, order_id, amount, method) VALUES (3600000, 'in time', 100, 6.00, 'card');

ASSERT VALUES paid_orders (order_id, amount) VALUES (100, 6.00);
