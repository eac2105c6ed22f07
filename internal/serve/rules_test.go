package serve

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"kedge/internal/refresh"
)

// TestAlertRules: the rules for Prometheus are YAML of its form, and use metrics and labels that there are.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../examples/prometheus/kedge.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil || len(file.Groups) != 2 || file.Groups[0].Name != "kedge" {
		t.Fatalf("%v, %d groups", err, len(file.Groups))
	}
	end := time.Now().Add(time.Hour)
	_, page := monitor(t, "/metrics", Role{
		Name: "app", Credentials: reported{refresh.Status{Valid: true, Expires: end, Renewed: end}},
		Validity: func(context.Context) (time.Time, time.Time) { return time.Now(), end },
	})
	names, labels := regexp.MustCompile(`\bkedge_[a-z_]+`), regexp.MustCompile(`\$labels\.([a-z]+)`)
	var used []string
	for _, rule := range file.Groups[0].Rules {
		if rule.Alert == "" || rule.Expr == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
			t.Errorf("incomplete: %+v", rule)
		}
		for _, name := range names.FindAllString(rule.Expr, -1) {
			used = append(used, name)
			if !regexp.MustCompile(`(?m)^` + name + `({| )`).MatchString(page) {
				t.Errorf("%s: there is no metric %s", rule.Alert, name)
			}
		}
		for _, match := range labels.FindAllStringSubmatch(rule.Annotations["summary"], -1) {
			if label := match[1]; label != "instance" && !strings.Contains(page, label+`="`) {
				t.Errorf("%s: there is no label %s", rule.Alert, label)
			}
		}
	}
	for _, name := range []string{"kedge_credentials_valid", "kedge_certificate_stage", "kedge_credentials_failures_total"} {
		if !slices.Contains(used, name) {
			t.Errorf("no alert for %s", name)
		}
	}
}
