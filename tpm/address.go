package tpm

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// The ways to reach a TPM.
const (
	byFile  = "device" // a character device, or a unix socket, as the file is
	byUnix  = "unix"   // a raw stream of commands, as swtpm takes it
	byTCP   = "tcp"    // the same
	byMSSIM = "mssim"  // the protocol of the reference simulator
	byTBS   = "tbs"    // TPM Base Services of Windows
)

// mssimPort is where the reference simulator listens.
const mssimPort = "2321"

// address is where a TPM is.
type address struct{ way, at string }

func (a address) String() string {
	switch {
	case a.way == byFile:
		return a.at
	case a.at == "":
		return a.way
	}
	return a.way + ":" + a.at
}

// parseAddress reads the forms that Config.Device describes.
func parseAddress(s string) (address, error) {
	if s == "" {
		return defaultAddress(), nil
	}
	way, at, found := strings.Cut(s, ":")
	switch {
	case strings.Contains(s, "\x00"):
		return address{}, errors.New("a TPM device has no zero byte in its name")
	case s == byTBS:
		return address{way: byTBS}, nil
	case !found || strings.Contains(way, "/"):
		return address{byFile, s}, nil
	case at == "":
		return address{}, fmt.Errorf("TPM device %q: nothing after the colon", s)
	}
	switch way {
	case byFile, byUnix:
		return address{way, at}, nil
	case byTCP:
		if _, _, err := net.SplitHostPort(at); err != nil {
			return address{}, fmt.Errorf("TPM device %q: tcp: needs HOST:PORT", s)
		}
		return address{way, at}, nil
	case byMSSIM, "swtpm":
		return parseTCTI(way, at)
	}
	return address{}, fmt.Errorf("TPM device %q is neither a path nor one of unix: tcp: mssim: swtpm: device: tbs", s)
}

// parseTCTI reads what tpm2-tools take in TPM2TOOLS_TCTI: swtpm:path=PATH,
// swtpm:host=HOST,port=PORT and mssim:host=HOST,port=PORT. mssim:HOST:PORT is allowed too.
func parseTCTI(way, at string) (address, error) {
	if !strings.Contains(at, "=") {
		if _, _, err := net.SplitHostPort(at); err != nil || way != byMSSIM {
			return address{}, fmt.Errorf("TPM device %q: needs host=HOST,port=PORT", way+":"+at)
		}
		return address{way, at}, nil
	}
	fields := map[string]string{"host": "localhost", "port": mssimPort}
	for pair := range strings.SplitSeq(at, ",") {
		key, value, _ := strings.Cut(pair, "=")
		if known := key == "host" || key == "port" || key == "path"; !known || value == "" {
			return address{}, fmt.Errorf("TPM device %q: %q is not host=HOST, port=PORT or path=PATH", way+":"+at, pair)
		}
		fields[key] = value
	}
	if path := fields["path"]; path != "" {
		return address{byUnix, path}, nil
	}
	if way == "swtpm" {
		way = byTCP
	}
	return address{way, net.JoinHostPort(fields["host"], fields["port"])}, nil
}
