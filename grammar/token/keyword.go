package token

import (
	"maps"
	"slices"
	"strings"
)

// reserved are the words that need quotes to be names, as in ksqlDB.
const reserved = `ADVANCE ALL AND AS AT BEGINNING BETWEEN BY CASE CAST CATALOG CONNECTOR CONNECTORS CREATE DAYS
	DECIMAL DELETE DESCRIBE DISTINCT DROP ELSE END EXISTS EXPORT EXTENDED FALSE FROM FULL GROUP HAVING HOPPING
	HOURS IN INNER INSERT INTO IS JOIN LEFT LIKE LIMIT LIST LOAD MATERIALIZED MILLISECOND MILLISECONDS MINUTES
	MONTHS NAMESPACE NOT NULL ON OR OUTER PAUSE PRINT PROPERTIES QUERIES QUERY RENAME RESUME RETENTION RIGHT
	RUN SAMPLE SCRIPT SECONDS SELECT SIZE STREAM STREAMS TABLE TERMINATE THEN TO TOPIC TOPICS TRUE TUMBLING
	UNSET VALUES VIEW WHEN WHERE WINDOW WITH WITHIN YEARS`

// unreserved are the keywords that are names where no keyword is expected.
const unreserved = `ADD ALTER ANALYZE ARRAY ASSERT CHANGES COLUMN COLUMNS DATE DAY DEFINE EMIT ESCAPE EXPLAIN FINAL
	FUNCTION FUNCTIONS GRACE HEADER HEADERS HOUR ID IF INTEGER INTERVAL KEY MAP MINUTE MONTH PARTITION PARTITIONS
	PERIOD PLUGINS PRIMARY REPLACE RESET SCHEMA SECOND SESSION SET SHOW SINK SOURCE STRING STRUCT SUBJECT SYSTEM
	TABLES TIME TIMEOUT TIMESTAMP TYPE TYPES UNDEFINE VARIABLES YEAR ZONE`

// keywords is read only.
var keywords = func() map[string]keyword {
	table := make(map[string]keyword, 160)
	for _, w := range strings.Fields(reserved) {
		table[w] = keyword{w, true}
	}
	for _, w := range strings.Fields(unreserved) {
		table[w] = keyword{w, false}
	}
	return table
}()

type keyword struct {
	word     string
	reserved bool
}

// maxKeyword is the length of the longest keyword.
const maxKeyword = 16

// lookup finds a keyword regardless of case.
func lookup(text string) (keyword, bool) {
	if len(text) > maxKeyword {
		return keyword{}, false
	}
	var upper [maxKeyword]byte
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	k, ok := keywords[string(upper[:len(text)])]
	return k, ok
}

// IsReserved reports whether a word, in any case, cannot be a name without quotes.
func IsReserved(word string) bool {
	k, ok := lookup(word)
	return ok && k.reserved
}

// KeywordOf gives the upper-case form of a keyword in any case; ok is false if the word is none.
func KeywordOf(word string) (keyword string, ok bool) {
	k, ok := lookup(word)
	return k.word, ok
}

// Keywords gives all keywords in upper case, sorted.
func Keywords() []string { return slices.Sorted(maps.Keys(keywords)) }
