package api

// FunctionNameList is the result of SHOW FUNCTIONS.
type FunctionNameList struct {
	Base
	Functions List[SimpleFunctionInfo] `json:"functions"`
}

// Type is the "@type" of the entity.
func (e *FunctionNameList) Type() string { return "function_names" }

// MarshalJSON adds the "@type".
func (e *FunctionNameList) MarshalJSON() ([]byte, error) {
	type plain FunctionNameList
	return tagged(e.Type(), (*plain)(e))
}

// SimpleFunctionInfo is one row of SHOW FUNCTIONS.
type SimpleFunctionInfo struct {
	Name string `json:"name"`
	// Type is SCALAR, AGGREGATE or TABLE.
	Type     string `json:"type"`
	Category string `json:"category"`
}

// FunctionDescriptionList is the result of DESCRIBE FUNCTION.
type FunctionDescriptionList struct {
	Base
	Name        string `json:"name"`
	Description string `json:"description"`
	Author      string `json:"author"`
	Version     string `json:"version"`
	// Path is where the function was loaded from, "internal" for built-ins.
	Path string `json:"path"`
	// Kind is SCALAR, AGGREGATE or TABLE, in JSON "type".
	Kind      string             `json:"type"`
	Functions List[FunctionInfo] `json:"functions"`
}

// Type is the "@type" of the entity.
func (e *FunctionDescriptionList) Type() string { return "describe_function" }

// MarshalJSON adds the "@type".
func (e *FunctionDescriptionList) MarshalJSON() ([]byte, error) {
	type plain FunctionDescriptionList
	return tagged(e.Type(), (*plain)(e))
}

// FunctionInfo is one overload of a function.
type FunctionInfo struct {
	Arguments   List[ArgumentInfo] `json:"arguments"`
	ReturnType  string             `json:"returnType"`
	Description string             `json:"description"`
}

// ArgumentInfo is one parameter of an overload.
type ArgumentInfo struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description"`
	IsVariadic  bool   `json:"isVariadic"`
}
