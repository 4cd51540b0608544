package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server"
)

// importing is the registry of a server that takes schemas with their numbers, as one does that is being filled from another.
type importing struct {
	schemas.Registry
	api http.Handler
}

func importInto(s *server.Server) *importing {
	registry := s.Schemas()
	embedded, ok := registry.(interface{ Handler() http.Handler })
	if !ok {
		panic(fmt.Sprintf("the registry is a %T", registry))
	}
	return &importing{registry, embedded.Handler()}
}

// RegisterAs implements sqltest.NumberingRegistry.
func (i *importing) RegisterAs(subject string, s schemas.Schema, id int) error {
	mode := "/mode/" + url.PathEscape(subject)
	if err := i.do(http.MethodPut, mode, map[string]any{"mode": "IMPORT"}); err != nil {
		return err
	}
	type reference struct {
		Name    string `json:"name"`
		Subject string `json:"subject"`
		Version int    `json:"version"`
	}
	var references []reference
	for _, r := range s.References {
		references = append(references, reference(r))
	}
	body := map[string]any{"schema": s.Text, "schemaType": s.Kind, "references": references, "id": id}
	if err := i.do(http.MethodPost, "/subjects/"+url.PathEscape(subject)+"/versions", body); err != nil {
		return err
	}
	return i.do(http.MethodDelete, mode, nil)
}

func (i *importing) do(method, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req := httptest.NewRequest(method, path, bytes.NewReader(text))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	i.api.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return nil
}
