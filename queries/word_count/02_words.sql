-- One row for each word of a line.
CREATE STREAM IF NOT EXISTS words WITH (VALUE_FORMAT = 'JSON') AS
  SELECT
    book,
    EXPLODE(SPLIT(LCASE(line), ' ')) AS word
  FROM lines
  EMIT CHANGES;

CREATE TABLE IF NOT EXISTS word_count AS
  SELECT
    word,
    COUNT(*) AS occurrences,
    COLLECT_SET(book) AS books
  FROM words
  WHERE LEN(word) > 0
  GROUP BY word
  EMIT CHANGES;
