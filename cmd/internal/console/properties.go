package console

import (
	"fmt"
	"os"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
)

// ReadProperties reads a Java .properties file.
func ReadProperties(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read, err := properties.ParseFile(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return read, nil
}
