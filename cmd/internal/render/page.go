package render

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// page is a statement result as text: lines and tables in order.
type page struct{ parts []part }

// part is a line, or a table when that is set.
type part struct {
	text  string
	table *table
	// paint colours the text; nil leaves it plain.
	paint func(Style, string) string
}

// line adds one line of text; it may contain line breaks.
func (p *page) line(format string, args ...any) {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	p.parts = append(p.parts, part{text: text})
}

// painted adds one line of text in a colour.
func (p *page) painted(paint func(Style, string) string, text string) {
	p.parts = append(p.parts, part{text: text, paint: paint})
}

// labelled adds "Label                : value".
func (p *page) labelled(label, value string) { p.line("%-20s : %s", label, value) }

// section adds a heading with a rule below it.
func (p *page) section(heading, rule string) {
	p.line("")
	p.line("%-20s", heading)
	p.line("%-20s", rule)
}

func (p *page) add(t *table) { p.parts = append(p.parts, part{table: t}) }

func (p *page) tables() []*table {
	var out []*table
	for _, part := range p.parts {
		if part.table != nil {
			out = append(out, part.table)
		}
	}
	return out
}

func (p *page) write(b *strings.Builder, style Style) {
	for _, part := range p.parts {
		if part.table != nil {
			part.table.write(b, style)
			continue
		}
		for text := range strings.SplitSeq(part.text, "\n") {
			text = printKeepingTabs(text)
			if part.paint != nil {
				text = part.paint(style, text)
			}
			b.WriteString(text + "\n")
		}
	}
}

// printKeepingTabs is printable, but indentation stays.
func printKeepingTabs(text string) string {
	indent := len(text) - len(strings.TrimLeft(text, "\t"))
	return text[:indent] + printable(text[indent:])
}

// pageOf lays out any entity. Width is that of the screen, in cells.
func pageOf(e api.Entity, width int) *page {
	p := &page{}
	switch e := e.(type) {
	case *api.CommandStatusEntity:
		p.message(e.CommandStatus.Message)
	case *api.WarningEntity:
		p.message(e.Message)
	case *api.TerminateQueryEntity:
		if e.WasTerminated {
			p.message("Query terminated.")
		} else {
			p.message("Query " + e.QueryID + " was not running.")
		}
	case *api.StreamsList:
		p.sources("Stream Name", e.Streams)
	case *api.TablesList:
		p.sources("Table Name", e.Tables)
	case *api.SourceDescriptionEntity:
		p.source(&e.SourceDescription)
	case *api.SourceDescriptionList:
		for i := range e.SourceDescriptions {
			if i > 0 {
				p.line("")
			}
			p.source(&e.SourceDescriptions[i])
		}
	case *api.Queries:
		p.queries(e.Queries)
	case *api.QueryDescriptionEntity:
		p.query(&e.QueryDescription)
	case *api.QueryDescriptionList:
		for i := range e.QueryDescriptions {
			if i > 0 {
				p.line("")
			}
			p.query(&e.QueryDescriptions[i])
		}
	case *api.KafkaTopicsList:
		p.topics(e.Topics)
	case *api.KafkaTopicsListExtended:
		p.topicsExtended(e.Topics)
	case *api.PropertiesList:
		p.properties(e)
	case *api.FunctionNameList:
		p.functions(e.Functions)
	case *api.FunctionDescriptionList:
		p.function(e, width)
	case *api.TypeList:
		p.types(e.Types)
	case *api.VariablesList:
		p.variables(e.Variables)
	case *api.CreateConnectorEntity:
		p.message("Created connector " + e.Info.Name)
	case *api.DropConnectorEntity:
		p.message("Dropped connector \"" + e.ConnectorName + "\"")
	case *api.ConnectorList:
		p.connectors(e.Connectors)
	case *api.ConnectorPluginsList:
		p.connectorPlugins(e.Plugins)
	case *api.ConnectorDescription:
		p.connector(e)
	case *api.AssertTopicEntity:
		p.message("Topic " + e.TopicName + existence(e.Exists))
	case *api.AssertSchemaEntity:
		p.message(assertedSchema(e) + existence(e.Exists))
	case *api.UnknownEntity:
		p.line("%s", string(e.Raw))
	}
	return p
}

// message is the one-cell table of a statement that only reports. ksqlDB shows
// the first line of the message.
func (p *page) message(text string) {
	text, _, _ = strings.Cut(text, "\n")
	t := newTable("Message")
	t.row(text)
	p.add(t)
}

func existence(exists bool) string {
	if exists {
		return " exists."
	}
	return " does not exist."
}

func assertedSchema(e *api.AssertSchemaEntity) string {
	text := "Schema"
	if e.Subject != nil {
		text += " with subject " + *e.Subject
	}
	if e.ID != nil {
		text += fmt.Sprintf(" with id %d", *e.ID)
	}
	return text
}
