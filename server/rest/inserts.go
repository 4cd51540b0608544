package rest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// insertsStream answers POST /inserts-stream: the arguments on the first line, then a row a line, an acknowledgement for
// each. ksqlDB takes it over HTTP/2 only; HTTP/1.1 works here as well, with the acknowledgements sent while rows still
// come in.
func (s *Server) insertsStream(w http.ResponseWriter, r *http.Request) {
	media := negotiate(r.Header.Values("Accept"), api.MediaDelimited, api.MediaJSON)
	if media == "" {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	controller := http.NewResponseController(w)
	_ = controller.EnableFullDuplex()
	lines := bufio.NewReaderSize(r.Body, 64<<10)
	first, err := s.line(lines)
	var args api.InsertsStreamArgs
	if err != nil || json.Unmarshal(first, &args) != nil || args.Target == "" {
		s.fail(w, api.NewError(api.CodeBadRequest, "Invalid JSON in request: the first line must be an object with the target"))
		return
	}
	inserter, err := s.cfg.Engine.Inserter(r.Context(), args.Target, args.Properties.Strings(), tokens(r, nil))
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(http.StatusOK)
	out := &ackWriter{w: w, flush: controller.Flush, array: media == api.MediaJSON}
	out.open()
	for seq := int64(0); ; seq++ {
		line, err := s.line(lines)
		if errors.Is(err, io.EOF) {
			break
		}
		var row map[string]json.RawMessage
		switch {
		case err != nil:
			out.ack(api.InsertFailed(seq, api.CodeBadRequest, err.Error()))
		case json.Unmarshal(line, &row) != nil || row == nil:
			err = errors.New("bad line")
			out.ack(api.InsertFailed(seq, api.CodeBadRequest, "Invalid JSON in inserts stream"))
		default:
			ack := api.InsertOK(seq)
			if ack.Token, err = inserter.Insert(r.Context(), row); err != nil {
				body := s.errorBody(err)
				ack = api.InsertFailed(seq, body.ErrorCode(), body.Error())
			}
			out.ack(ack)
		}
		if err != nil || out.err != nil {
			break
		}
	}
	out.close()
}

// line reads the next line that is not blank, at most MaxBodyBytes long; io.EOF at the end.
func (s *Server) line(in *bufio.Reader) ([]byte, error) {
	for {
		var line []byte
		for {
			part, err := in.ReadSlice('\n')
			line = append(line, part...)
			if int64(len(line)) > s.cfg.MaxBodyBytes {
				return nil, errors.New("a line of the inserts stream is too long")
			}
			if err == nil {
				break
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if line = bytes.TrimSpace(line); errors.Is(err, io.EOF) && len(line) > 0 {
				return line, nil
			}
			return nil, io.EOF
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

// ackWriter writes acknowledgements as lines or as one array.
type ackWriter struct {
	w     io.Writer
	flush func() error
	array bool
	n     int
	err   error
}

func (a *ackWriter) write(b []byte) {
	if a.err != nil {
		return
	}
	if _, a.err = a.w.Write(b); a.err == nil {
		a.err = a.flush()
	}
}

func (a *ackWriter) open() {
	if a.array {
		a.write([]byte("["))
		return
	}
	a.err = a.flush()
}

func (a *ackWriter) ack(k api.InsertAck) {
	b, err := api.Encode(k)
	if err != nil {
		a.err = err
		return
	}
	switch {
	case !a.array:
		b = append(b, '\n')
	case a.n > 0:
		b = append([]byte(","), b...)
	}
	a.n++
	a.write(b)
}

func (a *ackWriter) close() {
	if a.array {
		a.write([]byte("]"))
	}
}
