package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestReadService(t *testing.T) {
	pid := strconv.Itoa(os.Getpid())
	tests := []struct {
		name     string
		env      map[string]string
		watchdog time.Duration
		sockets  string // names
		wantErr  string
	}{
		{"not by systemd", nil, 0, "", ""},
		{"watchdog", map[string]string{"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": pid}, 30 * time.Second, "", ""},
		{"watchdog of any process", map[string]string{"WATCHDOG_USEC": "30000000"}, 30 * time.Second, "", ""},
		{"watchdog of another process", map[string]string{"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0, "", ""},
		{"bad watchdog", map[string]string{"WATCHDOG_USEC": "30s"}, 0, "", `WATCHDOG_USEC: "30s" is not a number of microseconds`},
		{"sockets of another process", map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "1"}, 0, "", ""},
		{"sockets of nobody", map[string]string{"LISTEN_FDS": "1"}, 0, "", ""},
		{"bad sockets", map[string]string{"LISTEN_FDS": "many", "LISTEN_PID": pid}, 0, "", `LISTEN_FDS: "many" is not a number of sockets`},
		{"too many sockets", map[string]string{"LISTEN_FDS": "65", "LISTEN_PID": pid}, 0, "", `LISTEN_FDS: "65" is not a number of sockets`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
				t.Setenv(name, tt.env[name])
			}
			got, err := ReadService()
			if tt.wantErr != "" {
				if err == nil || err.Error() != tt.wantErr {
					t.Errorf("error %v, want %s", err, tt.wantErr)
				}
				return
			}
			var names []string
			for _, s := range got.Sockets {
				names = append(names, s.Name)
			}
			if err != nil || got.Watchdog != tt.watchdog || strings.Join(names, " ") != tt.sockets {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestServiceFile(t *testing.T) {
	for _, tt := range []struct{ runtime, session, want string }{
		{"/run/kedge:/run/other", "/run/user/1", "/run/kedge/x"},
		{"", "/run/user/1", "/run/user/1/kedge/x"},
		{"", "relative", ""},
		{"", "", ""},
	} {
		t.Setenv("RUNTIME_DIRECTORY", tt.runtime)
		t.Setenv("XDG_RUNTIME_DIR", tt.session)
		if got := ServiceFile("x"); filepath.ToSlash(got) != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}
