-- Views of each page, minute by minute.
CREATE TABLE IF NOT EXISTS views_per_minute AS
  SELECT
    page,
    COUNT(*) AS views,
    AVG(duration_ms) AS average_ms,
    COUNT_DISTINCT(user_id) AS visitors
  FROM page_views
  WINDOW TUMBLING (SIZE 1 MINUTE, RETENTION 7 DAYS, GRACE PERIOD 1 DAY)
  GROUP BY page
  EMIT CHANGES;

-- The same over five minutes, anew each minute.
CREATE TABLE IF NOT EXISTS views_moving AS
  SELECT
    page,
    COUNT(*) AS views,
    MAX(duration_ms) AS longest_ms
  FROM page_views
  WINDOW HOPPING (SIZE 5 MINUTES, ADVANCE BY 1 MINUTE, RETENTION 7 DAYS, GRACE PERIOD 1 DAY)
  GROUP BY page
  EMIT CHANGES;

-- A visit ends after five minutes without a view.
CREATE TABLE IF NOT EXISTS visits AS
  SELECT
    user_id,
    COUNT(*) AS views,
    EARLIEST_BY_OFFSET(page) AS entry_page,
    LATEST_BY_OFFSET(page) AS exit_page,
    SUM(duration_ms) AS total_ms
  FROM page_views
  WINDOW SESSION (5 MINUTES, RETENTION 7 DAYS, GRACE PERIOD 1 DAY)
  GROUP BY user_id
  EMIT CHANGES;
