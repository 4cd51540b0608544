package protobuf

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/schemas/protofile"
)

// metaOption is the option of a field in which Connect keeps what protobuf has no words for; number metaNumber.
const (
	metaOption = "confluent.field_meta"
	metaNumber = 1088
)

// compile reads the text of a schema.
func compile(s schemas.Schema, imports map[string]schemas.Schema) (protoreflect.FileDescriptor, error) {
	c, err := protofile.Compile(s, imports)
	return c.File, err
}

// messageOf finds the message that a schema is about: the one of a name, or the first.
func messageOf(file protoreflect.FileDescriptor, fullName string) (protoreflect.MessageDescriptor, error) {
	list := file.Messages()
	if fullName == "" {
		if list.Len() == 0 {
			return nil, errors.New("the schema has no message")
		}
		return list.Get(0), nil
	}
	if m := findMessage(list, protoreflect.FullName(fullName)); m != nil {
		return m, nil
	}
	names := make([]string, list.Len())
	for i := range names {
		names[i] = string(list.Get(i).FullName())
	}
	return nil, fmt.Errorf("the schema has no message %s; it has %s", fullName, strings.Join(names, ", "))
}

func findMessage(list protoreflect.MessageDescriptors, name protoreflect.FullName) protoreflect.MessageDescriptor {
	for i := range list.Len() {
		m := list.Get(i)
		if m.FullName() == name {
			return m
		}
		if strings.HasPrefix(string(name), string(m.FullName())+".") {
			return findMessage(m.Messages(), name)
		}
	}
	return nil
}
