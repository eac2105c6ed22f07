package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// TestOptions checks what a command line makes of the configuration, without serving.
func TestOptions(t *testing.T) {
	t.Parallel()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certificate(t, true), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "emulator.json")
	if err := os.WriteFile(file, []byte(`{"conditions": {"requestRate": 1, "lostAnswers": 0.5}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var none emulator.Conditions
	const role = "arn:aws:iam::123456789012:role/app"
	tests := []struct {
		name     string
		args     []string
		anchors  int
		roles    []emulator.Role
		profiles []emulator.Profile

		conditions emulator.Conditions
	}{
		{"nothing but a CA", nil, 1, nil, nil, none},
		{"two CAs", []string{"--trust-anchor", ca}, 2, nil, nil, none},
		{"role", []string{"--role-arn", role}, 1, []emulator.Role{{ARN: role, MaxSessionDuration: time.Hour}}, nil, none},
		{"two roles", []string{"--role-arn", role, "--role-arn", role + "-2"}, 1, []emulator.Role{{ARN: role, MaxSessionDuration: time.Hour}, {ARN: role + "-2", MaxSessionDuration: time.Hour}}, nil, none},
		{"longer sessions", []string{"--max-session-duration", "7200"}, 1, []emulator.Role{{MaxSessionDuration: 2 * time.Hour}}, nil, none},
		{"session names", []string{"--accept-role-session-name"}, 1, nil, []emulator.Profile{{Duration: time.Hour, AcceptRoleSessionName: true}}, none},
		{"shorter sessions", []string{"--profile-duration", "900"}, 1, nil, []emulator.Profile{{Duration: 15 * time.Minute}}, none},
		{"conditions", []string{"--request-rate", "1", "--propagation-delay", "10s", "--stale-reads", "--lost-answers", "0.1", "--seed", "7"}, 1, nil, nil, emulator.Conditions{
			RequestRate: 1, PropagationDelay: 10 * time.Second, StaleReads: true, LostAnswers: 0.1, Seed: 7,
		}},
		{"conditions besides those of the file", []string{"--config", file, "--request-rate", "2"}, 1, nil, nil, emulator.Conditions{RequestRate: 2, LostAnswers: 0.5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c emulator.Config
			s := cli.Streams{Out: io.Discard, Err: io.Discard}
			root := newRoot(s, func(_ context.Context, cmd *cobra.Command, o *options, s cli.Streams) error {
				var err error
				c, err = o.config(cmd, s)
				return err
			})
			code := cli.Main(t.Context(), cli.Program{Name: name, Root: root}, append([]string{"--trust-anchor", ca}, tt.args...), s)
			if code != cli.ExitDone || len(c.TrustAnchors) != tt.anchors || len(c.Roles) != len(tt.roles) || len(c.Profiles) != len(tt.profiles) {
				t.Fatalf("exit %d, configuration %+v", code, c)
			}
			for i, want := range tt.roles {
				if got := c.Roles[i]; got.ARN != want.ARN || got.MaxSessionDuration != want.MaxSessionDuration {
					t.Errorf("role %+v, want %+v", got, want)
				}
			}
			for i, want := range tt.profiles {
				if got := c.Profiles[i]; got.Duration != want.Duration || got.AcceptRoleSessionName != want.AcceptRoleSessionName {
					t.Errorf("profile %+v, want %+v", got, want)
				}
			}
			if c.Conditions != tt.conditions {
				t.Errorf("conditions %+v, want %+v", c.Conditions, tt.conditions)
			}
			if _, err := emulator.New(c); err != nil {
				t.Error(err)
			}
		})
	}
}
