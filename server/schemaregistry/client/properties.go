package client

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/kafka/security"
)

// prefixes may stand before the names of the client's properties; of one that is set under several the first counts.
var prefixes = []string{"ksql.schema.registry.", "schema.registry."}

// Read makes the configuration of a client of addresses, separated by commas, and of a server's properties: basic.auth.*,
// bearer.auth.* and ssl.* with ksqlDB's prefix or that of Confluent's clients. Errors show no values.
func Read(urls string, properties map[string]string, logger *slog.Logger) (Config, error) {
	cfg := Config{Logger: logger}
	for _, u := range strings.Split(urls, ",") {
		if u = strings.TrimSpace(u); u != "" {
			cfg.URLs = append(cfg.URLs, u)
		}
	}
	get := func(name string) string {
		for _, p := range prefixes {
			if v := strings.TrimSpace(properties[p+name]); v != "" {
				return v
			}
		}
		return ""
	}
	switch source := get("basic.auth.credentials.source"); strings.ToUpper(source) {
	case "", "URL":
	case "USER_INFO":
		user, password, ok := strings.Cut(get("basic.auth.user.info"), ":")
		if !ok || user == "" {
			return cfg, fmt.Errorf("%sbasic.auth.user.info: want user:password", prefixes[0])
		}
		cfg.User, cfg.Password = user, password
	default:
		return cfg, fmt.Errorf("%sbasic.auth.credentials.source: %q is none of URL, USER_INFO", prefixes[0], source)
	}
	switch source := get("bearer.auth.credentials.source"); strings.ToUpper(source) {
	case "":
	case "STATIC_TOKEN":
		if cfg.Token = get("bearer.auth.token"); cfg.Token == "" {
			return cfg, fmt.Errorf("%sbearer.auth.token is missing", prefixes[0])
		}
	default:
		return cfg, fmt.Errorf("%sbearer.auth.credentials.source: %q is not STATIC_TOKEN", prefixes[0], source)
	}
	var err error
	cfg.TLS, err = readTLS(properties, logger)
	return cfg, err
}

// readTLS reads the ssl.* properties, which are those of Kafka's clients; nil when there are none.
func readTLS(properties map[string]string, logger *slog.Logger) (func(string) (*tls.Config, error), error) {
	ours := map[string]string{}
	for i := range prefixes {
		prefix := prefixes[len(prefixes)-1-i]
		for name, value := range properties {
			if plain, ok := strings.CutPrefix(name, prefix); ok && strings.HasPrefix(plain, "ssl.") {
				ours[plain] = value
			}
		}
	}
	if len(security.Mentioned(ours)) == 0 {
		return nil, nil
	}
	ours["security.protocol"] = "SSL"
	s, err := security.Read(ours, logger)
	if err != nil {
		return nil, fmt.Errorf("connections to the schema registry: %s%w", prefixes[0], err)
	}
	return s.TLS, nil
}
