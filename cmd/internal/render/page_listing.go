package render

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// replicas shows one number when all partitions have as many.
func replicas(info []int) string {
	if len(info) == 0 {
		return "0"
	}
	if slices.Min(info) == slices.Max(info) {
		return strconv.Itoa(info[0])
	}
	out := make([]string, len(info))
	for i, n := range info {
		out[i] = strconv.Itoa(n)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (p *page) topics(topics []api.KafkaTopicInfo) {
	t := newTable("Kafka Topic", "Partitions", "Partition Replicas")
	for _, topic := range topics {
		t.row(topic.Name, strconv.Itoa(len(topic.ReplicaInfo)), replicas(topic.ReplicaInfo))
	}
	p.add(t)
}

func (p *page) topicsExtended(topics []api.KafkaTopicInfoExtended) {
	t := newTable("Kafka Topic", "Partitions", "Partition Replicas", "Consumers", "ConsumerGroups")
	for _, topic := range topics {
		t.row(topic.Name, strconv.Itoa(len(topic.ReplicaInfo)), replicas(topic.ReplicaInfo),
			strconv.Itoa(topic.ConsumerCount), strconv.Itoa(topic.ConsumerGroupCount))
	}
	p.add(t)
}

// properties lists settings by name and says who overrode them.
func (p *page) properties(list *api.PropertiesList) {
	sorted := slices.Clone(list.Properties)
	slices.SortStableFunc(sorted, func(a, b api.Property) int { return strings.Compare(a.Name, b.Name) })
	t := newTable("Property", "Scope", "Default override", "Effective Value")
	for _, property := range sorted {
		override := "SERVER"
		switch {
		case slices.Contains(list.OverwrittenProperties, property.Name):
			override = "SESSION"
		case slices.Contains(list.DefaultProperties, property.Name):
			override = ""
		}
		value := "NULL"
		if property.Value != nil {
			value = *property.Value
		}
		t.row(property.Name, property.Scope, override, value)
	}
	p.add(t)
}

func (p *page) functions(functions []api.SimpleFunctionInfo) {
	sorted := slices.Clone(functions)
	slices.SortStableFunc(sorted, func(a, b api.SimpleFunctionInfo) int {
		if c := strings.Compare(a.Category, b.Category); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	t := newTable("Function Name", "Category")
	for _, f := range sorted {
		t.row(f.Name, f.Category)
	}
	p.add(t)
	p.line("For detailed information about a function, run: DESCRIBE FUNCTION <Function Name>;")
}

// function is DESCRIBE FUNCTION.
func (p *page) function(f *api.FunctionDescriptionList, width int) {
	const label = "%-12s: %s"
	p.line(label, "Name", strings.ToUpper(f.Name))
	for _, l := range []struct{ label, value string }{{"Author", f.Author}, {"Version", f.Version}} {
		if strings.TrimSpace(l.value) != "" {
			p.line(label, l.label, l.value)
		}
	}
	if f.Description != "" {
		p.line(label, "Overview", foldText(f.Description, width-14, strings.Repeat(" ", 14)))
	}
	p.line(label, "Type", f.Kind)
	p.line(label, "Jar", f.Path)
	p.line(label, "Variations", "")
	for i := range f.Functions {
		p.variation(strings.ToUpper(f.Name), &f.Functions[i], width)
	}
}

func (p *page) variation(name string, v *api.FunctionInfo, width int) {
	const label = "\t%-12s: %s"
	arguments := make([]string, len(v.Arguments))
	for i, a := range v.Arguments {
		arguments[i] = a.Type
		if a.Name != "" {
			arguments[i] = a.Name + " " + a.Type
		}
		if a.IsVariadic {
			arguments[i] += "[]"
		}
	}
	fold := func(text string) string {
		return foldText(text, width-22, "\t"+strings.Repeat(" ", 14))
	}
	p.line("\n"+label, "Variation", name+"("+strings.Join(arguments, ", ")+")")
	p.line(label, "Returns", v.ReturnType)
	if v.Description != "" {
		p.line(label, "Description", fold(v.Description))
	}
	for _, a := range v.Arguments {
		if a.Description != "" {
			p.line(label, a.Name, fold(a.Description))
		}
	}
}

// foldText breaks text at blanks so that lines are at most width wide; lines
// after the first start with indent.
func foldText(text string, width int, indent string) string {
	width = max(width, 40)
	var b strings.Builder
	used := 0
	for _, word := range strings.Fields(text) {
		w := runewidth.StringWidth(word)
		switch {
		case used == 0:
		case used+1+w > width:
			b.WriteString("\n" + indent)
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += w
	}
	return b.String()
}

func (p *page) types(types map[string]api.SchemaInfo) {
	t := newTable("Type Name", "Schema")
	for _, name := range slices.Sorted(maps.Keys(types)) {
		schema := types[name]
		t.row(name, TypeText(&schema))
	}
	p.add(t)
}

func (p *page) variables(variables []api.Variable) {
	t := newTable("Variable Name", "Value")
	for _, v := range variables {
		t.row(v.Name, v.Value)
	}
	p.add(t)
}

func (p *page) connectors(connectors []api.SimpleConnectorInfo) {
	t := newTable("Connector Name", "Type", "Class", "Status")
	for _, c := range connectors {
		t.row(c.Name, strings.ToUpper(c.Type), c.ClassName, c.State)
	}
	p.add(t)
}

func (p *page) connectorPlugins(plugins []api.ConnectorPlugin) {
	t := newTable("Class", "Type", "Version")
	for _, c := range plugins {
		t.row(c.ClassName, strings.ToUpper(c.Type), c.Version)
	}
	p.add(t)
}

func (p *page) connector(c *api.ConnectorDescription) {
	p.labelled("Name", c.Status.Name)
	p.labelled("Class", c.ConnectorClass)
	p.labelled("Type", c.Status.Type)
	p.labelled("State", c.Status.Connector.State)
	p.labelled("WorkerId", c.Status.Connector.WorkerID)
	if c.Status.Connector.Trace != "" {
		p.labelled("Trace", c.Status.Connector.Trace)
	}
	if len(c.Status.Tasks) > 0 {
		t := newTable("Task ID", "State", "Error Trace")
		for _, task := range c.Status.Tasks {
			t.row(strconv.Itoa(task.ID), task.State, task.Trace)
		}
		p.line("")
		p.add(t)
	}
	if len(c.Sources) > 0 {
		t := newTable("KSQL Source Name", "Kafka Topic", "Type")
		for _, s := range c.Sources {
			t.row(s.Name, s.Topic, s.Type)
		}
		p.line("")
		p.add(t)
	}
	if len(c.Topics) > 0 {
		t := newTable("Related Topics")
		for _, topic := range c.Topics {
			t.row(topic)
		}
		p.line("")
		p.add(t)
	}
}
