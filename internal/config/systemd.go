package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Service is what systemd tells a service in its environment. The zero Service was not started by
// it.
type Service struct {
	NotifySocket string        // $NOTIFY_SOCKET, see sd_notify(3)
	Watchdog     time.Duration // how often the watchdog wants a sign of life; 0 for never, see sd_watchdog_enabled(3)
	Sockets      []Socket      // that are open already, see sd_listen_fds(3)
}

// Socket is one that systemd listens on for the service.
type Socket struct {
	Name string // FileDescriptorName= of the socket unit
	File *os.File
}

const (
	firstSocket = 3
	maxSockets  = 64
)

// ReadService reads the environment. What is meant for another process does not count.
func ReadService() (Service, error) {
	s := Service{NotifySocket: os.Getenv("NOTIFY_SOCKET")}
	if text := os.Getenv("WATCHDOG_USEC"); text != "" && forThisProcess("WATCHDOG_PID") {
		microseconds, err := strconv.ParseUint(text, 10, 40)
		if err != nil {
			return Service{}, fmt.Errorf("WATCHDOG_USEC: %q is not a number of microseconds", text)
		}
		s.Watchdog = time.Duration(microseconds) * time.Microsecond
	}
	if text := os.Getenv("LISTEN_FDS"); text != "" && os.Getenv("LISTEN_PID") != "" && forThisProcess("LISTEN_PID") {
		count, err := strconv.Atoi(text)
		if err != nil || count < 1 || count > maxSockets {
			return Service{}, fmt.Errorf("LISTEN_FDS: %q is not a number of sockets", text)
		}
		names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
		for i := range count {
			name := ""
			if i < len(names) {
				name = names[i]
			}
			closeOnExec(firstSocket + i)
			s.Sockets = append(s.Sockets, Socket{name, os.NewFile(uintptr(firstSocket+i), name)})
		}
	}
	return s, nil
}

// forThisProcess reports whether the process that a variable names, if it does, is this one.
func forThisProcess(variable string) bool {
	pid := os.Getenv(variable)
	return pid == "" || pid == strconv.Itoa(os.Getpid())
}

// ServiceFile is where a service keeps a file that lasts as long as it runs: in the folder that
// systemd made for it, else in that of the user's session. It is empty where there is neither.
func ServiceFile(name string) string {
	if dirs := os.Getenv("RUNTIME_DIRECTORY"); dirs != "" {
		dir, _, _ := strings.Cut(dirs, ":")
		return filepath.Join(dir, name)
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "kedge", name)
	}
	return ""
}
