-- Run them with: ksqlgo test queries/page_views

----------------------------------------------------------------------------------------------------
--@test: a late view counts in the minute it belongs to
----------------------------------------------------------------------------------------------------
RUN SCRIPT '../01_views.sql';
RUN SCRIPT '../02_windows.sql';

INSERT INTO page_views VALUES ('u1', '/home', 100, '1970-01-01T00:00:10.000Z');
INSERT INTO page_views VALUES ('u2', '/home', 300, '1970-01-01T00:01:00.000Z');
INSERT INTO page_views VALUES ('u1', '/home', 200, '1970-01-01T00:00:59.999Z');

ASSERT VALUES views_per_minute (page, windowstart, windowend, views, average_ms, visitors) VALUES ('/home', 0, 60000, 1, 100.0, 1);
ASSERT VALUES views_per_minute (page, windowstart, windowend, views, average_ms, visitors) VALUES ('/home', 60000, 120000, 1, 300.0, 1);
ASSERT VALUES views_per_minute (page, windowstart, windowend, views, average_ms, visitors) VALUES ('/home', 0, 60000, 2, 150.0, 1);

----------------------------------------------------------------------------------------------------
--@test: a visit goes on while views come, and two become one
----------------------------------------------------------------------------------------------------
RUN SCRIPT '../01_views.sql';
RUN SCRIPT '../02_windows.sql';

INSERT INTO page_views VALUES ('u1', '/home', 1, '1970-01-01T00:00:00.000Z');
INSERT INTO page_views VALUES ('u1', '/cart', 2, '1970-01-01T00:08:00.000Z');
INSERT INTO page_views VALUES ('u1', '/item', 4, '1970-01-01T00:04:00.000Z');

ASSERT VALUES visits (user_id, windowstart, windowend, views, total_ms) VALUES ('u1', 0, 0, 1, 1);
ASSERT VALUES visits (user_id, windowstart, windowend, views, total_ms) VALUES ('u1', 480000, 480000, 1, 2);
ASSERT NULL VALUES visits (user_id, windowstart) KEY ('u1', 0);
ASSERT NULL VALUES visits (user_id, windowstart) KEY ('u1', 480000);
ASSERT VALUES visits (user_id, windowstart, windowend, views, total_ms) VALUES ('u1', 0, 480000, 3, 7);
