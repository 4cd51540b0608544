-- Run them with: ksqlgo test queries/user_accounts

----------------------------------------------------------------------------------------------------
--@test: an event changes only what it carries
----------------------------------------------------------------------------------------------------
RUN SCRIPT '../01_events.sql';
RUN SCRIPT '../02_accounts.sql';

INSERT INTO user_events (user_id, type, email, name, event_time) VALUES ('u1', 'UserRegistered', 'ada@example.com', 'Ada', 1000);
INSERT INTO user_events (user_id, type, email, event_time) VALUES ('u1', 'EmailChanged', 'ada@example.org', 2000);

ASSERT VALUES user_accounts (user_id, email, name, status, version, changed_at)
  VALUES ('u1', 'ada@example.com', 'Ada', 'ACTIVE', 1, 1000);
ASSERT VALUES user_accounts (user_id, email, name, status, version, changed_at)
  VALUES ('u1', 'ada@example.org', 'Ada', 'ACTIVE', 2, 2000);

----------------------------------------------------------------------------------------------------
--@test: an account that is suspended counts in its new state alone
----------------------------------------------------------------------------------------------------
RUN SCRIPT '../01_events.sql';
RUN SCRIPT '../02_accounts.sql';

INSERT INTO user_events (user_id, type, event_time) VALUES ('u1', 'UserRegistered', 1000);
INSERT INTO user_events (user_id, type, event_time) VALUES ('u2', 'UserRegistered', 2000);
INSERT INTO user_events (user_id, type, event_time) VALUES ('u1', 'UserSuspended', 3000);

ASSERT VALUES accounts_by_status VALUES ('ACTIVE', 1);
ASSERT VALUES accounts_by_status VALUES ('ACTIVE', 2);
ASSERT VALUES accounts_by_status VALUES ('ACTIVE', 1);
ASSERT VALUES accounts_by_status VALUES ('SUSPENDED', 1);

----------------------------------------------------------------------------------------------------
--@test: the read side is keyed by the user
----------------------------------------------------------------------------------------------------
RUN SCRIPT '../01_events.sql';
RUN SCRIPT '../02_accounts.sql';

ASSERT TABLE user_accounts (
  user_id VARCHAR PRIMARY KEY, email VARCHAR, name VARCHAR, address STRUCT<street VARCHAR, city VARCHAR>,
  status VARCHAR, version BIGINT, changed_at BIGINT
) WITH (KAFKA_TOPIC = 'USER_ACCOUNTS', VALUE_FORMAT = 'JSON');

----------------------------------------------------------------------------------------------------
--@test: events have no other columns
--@expected.error: io.confluent.ksql.util.KsqlException
--@expected.message: SELECT column 'PHONE' cannot be resolved
----------------------------------------------------------------------------------------------------
RUN SCRIPT '../01_events.sql';
CREATE STREAM phones AS SELECT user_id, phone FROM user_events;
