// Package queries is the gallery: programs in SQL with their data and the rows they must give, embedded so that the demo
// and the tests run anywhere. Each folder is one program; its README says what it shows.
package queries

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed */*.sql */*.md */expected.json */data/*.jsonl
var files embed.FS

// Program is one program of the gallery.
type Program struct {
	Name string
	// Readme is the folder's README.
	Readme string
	// Files are its SQL files in the order of their names.
	Files []File
	// Steps are the data, to be fed one after the other: a step may start when the queries have read the one before (tables
	// come before the streams that look into them).
	Steps []Step
	// Checks are the queries to ask at the end and their rows.
	Checks []Check
}

// File is one SQL file.
type File struct {
	Name, SQL string
}

// Step is data to be fed at once: the records of one or more topics, ordered by time over the topics.
type Step struct {
	Records []Record
}

// Record is one Kafka record of the data, ready to be produced.
type Record struct {
	Topic      string
	Key, Value []byte
	// Timestamp in milliseconds since 1970.
	Timestamp int64
}

// Check is a query and the rows it must give, as a bag unless Ordered.
type Check struct {
	Query   string              `json:"query"`
	Ordered bool                `json:"ordered"`
	Rows    [][]json.RawMessage `json:"rows"`
}

// Names lists the programs.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // An embedded file system cannot fail to list its root.
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

// Load reads one program.
func Load(name string) (*Program, error) {
	p := &Program{Name: name}
	readme, err := files.ReadFile(name + "/README.md")
	if err != nil {
		return nil, fmt.Errorf("queries: no program %q (there are %s)", name, strings.Join(Names(), ", "))
	}
	p.Readme = string(readme)
	sqls, err := fs.Glob(files, name+"/*.sql")
	if err != nil {
		return nil, err
	}
	for _, f := range sqls {
		b, err := files.ReadFile(f)
		if err != nil {
			return nil, err
		}
		p.Files = append(p.Files, File{Name: path.Base(f), SQL: string(b)})
	}
	if err := p.loadSteps(); err != nil {
		return nil, err
	}
	b, err := files.ReadFile(name + "/expected.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &p.Checks); err != nil {
		return nil, fmt.Errorf("queries: %s/expected.json: %w", name, err)
	}
	return p, nil
}

// loadSteps reads data/<step>_<topic>.jsonl.
func (p *Program) loadSteps() error {
	names, err := fs.Glob(files, p.Name+"/data/*.jsonl")
	if err != nil {
		return err
	}
	steps := map[int]*Step{}
	var order []int
	for _, f := range names {
		number, topic, ok := strings.Cut(strings.TrimSuffix(path.Base(f), ".jsonl"), "_")
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			return fmt.Errorf("queries: %s: data files are named <step>_<topic>.jsonl", f)
		}
		if steps[n] == nil {
			steps[n] = &Step{}
			order = append(order, n)
		}
		if err := steps[n].read(f, topic); err != nil {
			return err
		}
	}
	slices.Sort(order)
	for _, n := range order {
		slices.SortStableFunc(steps[n].Records, func(a, b Record) int { return int(a.Timestamp - b.Timestamp) })
		p.Steps = append(p.Steps, *steps[n])
	}
	return nil
}

func (s *Step) read(file, topic string) error {
	b, err := files.ReadFile(file)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		var line struct {
			Key   json.RawMessage `json:"key"`
			Value json.RawMessage `json:"value"`
			Text  *string         `json:"text"`
			Time  int64           `json:"ts"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("queries: %s:%d: %w", file, n, err)
		}
		key, err := kafkaKey(line.Key)
		if err != nil {
			return fmt.Errorf("queries: %s:%d: %w", file, n, err)
		}
		r := Record{Topic: topic, Key: key, Value: line.Value, Timestamp: line.Time}
		if line.Text != nil {
			r.Value = []byte(*line.Text)
		}
		s.Records = append(s.Records, r)
	}
	return lines.Err()
}

// kafkaKey encodes a key as the KAFKA format does: text as UTF-8, a number as INT (4 bytes, big-endian).
func kafkaKey(raw json.RawMessage) ([]byte, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case string:
		return []byte(x), nil
	case float64:
		return binary.BigEndian.AppendUint32(nil, uint32(int32(x))), nil
	}
	return nil, fmt.Errorf("a key is text or a whole number, not %s", raw)
}
