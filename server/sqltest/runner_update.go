package sqltest

import (
	"bytes"
	"fmt"
	"os"
)

// update writes the file of outputs anew, with the records of the topics it named before, or of all topics that queries write when
// it named none. A file that is right already stays as it is.
func (t *RunnerTest) update(w *World, outputs []fileRecord, insertsOnly bool) *Failure {
	t.updated = false
	if len(outputs) > 0 && t.compare(w, outputs, insertsOnly) == nil {
		return nil
	}
	topics, timestamps := topicsOf(outputs), len(outputs) == 0
	for i := range outputs {
		timestamps = timestamps || outputs[i].Timestamp != nil
	}
	if len(topics) == 0 {
		seen := map[string]bool{}
		for _, q := range w.Sim().Queries() {
			if sink := q.Plan().Sink; sink != nil && !seen[sink.Topic] {
				seen[sink.Topic] = true
				topics = append(topics, sink.Topic)
			}
		}
	}
	var records []fileRecord
	for _, topic := range topics {
		for _, r := range w.records(topic, 0, w.count(topic)) {
			shown := toFile(w.Show(topic, &r))
			if !timestamps {
				shown.Timestamp = nil
			}
			records = append(records, shown)
		}
	}
	if len(records) == 0 {
		return &Failure{File: t.statements, Message: fmt.Sprintf("No records came out of %s: there is nothing to write to %s.", plural(len(topics), "topic"), t.output)}
	}
	if err := os.WriteFile(t.output, outputsText(records), 0o644); err != nil {
		return &Failure{File: t.output, Message: err.Error(), Err: err}
	}
	t.updated = true
	return nil
}

// outputsText is the text of a file of outputs, a record a line.
func outputsText(records []fileRecord) []byte {
	var b bytes.Buffer
	b.WriteString("{\n  \"outputs\": [\n")
	for i := range records {
		fmt.Fprintf(&b, "    {\"topic\": %s, %s", jsonText(records[i].Topic), records[i].text()[1:])
		if i < len(records)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("  ]\n}\n")
	return b.Bytes()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
