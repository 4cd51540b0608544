--@test: small orders are left out
RUN SCRIPT 'large_orders/statements.sql';
INSERT INTO orders VALUES ('ada', 99);
INSERT INTO orders VALUES ('ada', 100);
ASSERT VALUES large_orders VALUES ('ada', 100);

--@test: amounts add up
RUN SCRIPT 'large_orders/statements.sql';
INSERT INTO orders VALUES ('ada', 99);
INSERT INTO orders VALUES ('ada', 100);
ASSERT VALUES spent VALUES ('ada', 99);
ASSERT VALUES spent VALUES ('ada', 199);
