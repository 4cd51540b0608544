package simulation

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// Foreign-key joins of table l, whose keys are groups, with table r, which has another number of partitions. Rows of both come
// and go, and left rows lose their foreign keys.
const foreignKeyTables = "CREATE TABLE l (k VARCHAR PRIMARY KEY, fk VARCHAR, id BIGINT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON', PARTITIONS=3);" +
	"CREATE TABLE r (k VARCHAR PRIMARY KEY, id BIGINT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=2);"

func foreignKeyWorkload(name, kind string, check func(*comparison)) *workload {
	return &workload{
		name: name,
		sql: foreignKeyTables + "CREATE TABLE j WITH (KAFKA_TOPIC='out', PARTITIONS=3) AS SELECT l.k AS k, l.id AS lid, IFNULL(r.id, CAST(0 AS BIGINT)) AS rid " +
			"FROM l " + kind + " JOIN r ON l.fk = r.k EMIT CHANGES;",
		pull: "SELECT lid, rid FROM j WHERE k='%s';",
		make: foreignKeyInput, check: check,
		row: func(o *output) string { return words(o.value["LID"], o.value["RID"]) },
	}
}

// foreignKeyInput changes a row of one of the tables. v is the id of a row, 0 of one that is deleted; group is a left row's
// foreign key, "" for none.
func foreignKeyInput(r *rand.Rand, id int, now int64) []input {
	in := input{time: now - r.Int64N(200), id: id, v: int64(id) + 1}
	if right := fmt.Sprintf("r%d", r.IntN(4)); r.IntN(3) == 0 {
		in.topic, in.key = "r", right
		in.value = fmt.Sprintf(`{"ID":%d}`, in.v)
	} else {
		in.topic, in.key = "l", groups[r.IntN(len(groups))]
		in.group = right
		in.value = fmt.Sprintf(`{"FK":%q,"ID":%d}`, right, in.v)
		if r.IntN(6) == 0 {
			in.group = ""
			in.value = fmt.Sprintf(`{"ID":%d}`, in.v)
		}
	}
	if r.IntN(6) == 0 {
		in.v, in.value, in.group = 0, "", ""
	}
	return []input{in}
}

func checkForeignKeyLeft(c *comparison)  { c.foreignKeys(true) }
func checkForeignKeyInner(c *comparison) { c.foreignKeys(false) }

// foreignKeys compares the last output of each key with the join of the last rows, and wants every other output to be the join
// of a left row and a right row that were there.
func (c *comparison) foreignKeys(left bool) {
	lefts, rights := map[string]input{}, map[string]int64{}
	// versions are the foreign keys of all left rows by id, rightIDs the ids that the rows of a right key have had.
	versions, rightIDs := map[string]string{}, map[string]map[string]bool{}
	for _, in := range c.inputs {
		if in.topic == "l" {
			lefts[in.key] = in
			versions[fmt.Sprint(in.v)] = in.group
			continue
		}
		rights[in.key] = in.v
		if rightIDs[in.key] == nil {
			rightIDs[in.key] = map[string]bool{}
		}
		rightIDs[in.key][fmt.Sprint(in.v)] = true
	}
	want := map[string]string{}
	for key, in := range lefts {
		if right := rights[in.group]; in.v != 0 && (left || right != 0) {
			want[key] = words(in.v, right)
		}
	}
	got, told := map[string]string{}, map[string]bool{}
	for i := range c.outputs {
		o := &c.outputs[i]
		if o.value == nil {
			delete(got, o.key)
			continue
		}
		row := words(o.value["LID"], o.value["RID"])
		got[o.key] = row
		told[o.key+" "+row] = true
		fk, known := versions[o.value["LID"].String()]
		if rid := o.value["RID"].String(); !known || rid == "0" && !left || rid != "0" && !rightIDs[fk][rid] {
			c.errorf("%s: row %q was made up, partition %d offset %d", o.key, row, o.partition, o.offset)
		}
	}
	if !c.exact() {
		// A server that was thought dead may have written an old row last; but the right one was told.
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if !told[key+" "+want[key]] {
				c.errorf("%s: row %q was never told", key, want[key])
			}
		}
		return
	}
	for _, key := range groups {
		if got[key] != want[key] {
			c.errorf("%s: the last row is %q, want %q", key, got[key], want[key])
		}
	}
}
