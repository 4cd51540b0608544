-- The current state of each user, folded from the events: an event carries only what it changes, and
-- LATEST_BY_OFFSET keeps what an event leaves out.
CREATE TABLE IF NOT EXISTS user_accounts AS
  SELECT
    user_id,
    LATEST_BY_OFFSET(email) AS email,
    LATEST_BY_OFFSET(name) AS name,
    LATEST_BY_OFFSET(address) AS address,
    LATEST_BY_OFFSET(CASE
      WHEN type = 'UserRegistered' THEN 'ACTIVE'
      WHEN type = 'UserSuspended' THEN 'SUSPENDED'
      WHEN type = 'UserReinstated' THEN 'ACTIVE'
      WHEN type = 'UserClosed' THEN 'CLOSED'
    END) AS status,
    COUNT(*) AS version,
    MAX(event_time) AS changed_at
  FROM user_events
  GROUP BY user_id
  EMIT CHANGES;

-- How many accounts there are in each state: a table folded over a table. When a user moves from one
-- state to another the old one counts one less.
CREATE TABLE IF NOT EXISTS accounts_by_status AS
  SELECT
    status,
    COUNT(*) AS users
  FROM user_accounts
  GROUP BY status
  EMIT CHANGES;
