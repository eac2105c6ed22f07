package cadir

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// LimitSettings bound what clients can have the server do. Renewals that are due are not limited.
type LimitSettings struct {
	// Address is how many requests one address can make on average, a /64 of IPv6 counting as one,
	// such as 30/s, 100/m or none. Default: 30/s.
	Address RequestRate `yaml:"address"`
	// AddressBurst is how many it can make at once. Default: 300.
	AddressBurst int `yaml:"address_burst"`
	// Host is how many requests can be made for one host, which has shown which it is. Default: 30/m.
	Host RequestRate `yaml:"host"`
	// HostBurst is how many of them at once. Default: 100.
	HostBurst int `yaml:"host_burst"`
	// AtOnce is how many requests are checked, signed and recorded at the same time; others are told
	// to come again. Default: 512.
	AtOnce int `yaml:"at_once"`
	// Connections is how many of hosts are open at the same time, 4096 at most; others wait until one
	// ends. Default: 512.
	Connections int `yaml:"connections"`
}

// RequestRate is a number of requests in a second, minute or hour, or no limit.
type RequestRate struct {
	N    int
	Per  time.Duration
	None bool
}

// UnmarshalText parses N/s, N/m, N/h or none.
func (r *RequestRate) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		*r = RequestRate{None: true}
		return nil
	}
	number, unit, _ := strings.Cut(string(text), "/")
	n, err := strconv.ParseUint(number, 10, 31)
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if err != nil || n == 0 || per == 0 {
		return fmt.Errorf("%q needs a number and a unit: write such as 10/s, 100/m or 1000/h, or none", text)
	}
	*r = RequestRate{N: int(n), Per: per}
	return nil
}

// MarshalText writes what UnmarshalText reads; nothing for the zero value.
func (r RequestRate) MarshalText() ([]byte, error) {
	switch {
	case r.None:
		return []byte("none"), nil
	case r.N == 0:
		return nil, nil
	}
	unit := map[time.Duration]string{time.Second: "s", time.Minute: "m", time.Hour: "h"}[r.Per]
	return fmt.Appendf(nil, "%d/%s", r.N, unit), nil
}

// PerSecond returns the rate in requests a second; 0: no limit.
func (r RequestRate) PerSecond() float64 {
	if r.None {
		return 0
	}
	return float64(r.N) / r.Per.Seconds()
}

const (
	defaultAddressBurst = 300
	defaultHostBurst    = 100
	// As many as there are connections: at the limit, hosts wait for a place before their handshake, which
	// costs as much as a request. Measured on two cores that the hosts, PostgreSQL and other programs
	// shared, with 1,500 of 6,000 hosts that are due connected to two servers, one of which is killed:
	// with 256 at once 713 requests were refused, the rate was 0.53 of that of the least server, and all
	// hosts had a certificate after 88 s; with 512 none, 0.78 and 37 s. The servers took 79 MiB at most
	// either way.
	defaultAtOnce = 512
	// A connection in its handshake takes about 50 kB: a storm of hosts took 108 MiB with 4,096, and with
	// 512 it takes 70 to 80. With 256, the handshakes of hosts that are slow keep others out.
	defaultConnections = 512
	mostConnections    = 4096
)

func (c LimitSettings) check() error {
	for _, one := range []struct {
		key string
		n   int
	}{{"address_burst", c.AddressBurst}, {"host_burst", c.HostBurst}, {"at_once", c.AtOnce}, {"connections", c.Connections}} {
		if one.n < 0 {
			return fmt.Errorf("%s: %d must be positive", one.key, one.n)
		}
	}
	if c.Connections > mostConnections {
		return fmt.Errorf("connections: %d is more than %d", c.Connections, mostConnections)
	}
	return nil
}

// complete returns the settings with each default written out.
func (c LimitSettings) complete() LimitSettings {
	if c.Address == (RequestRate{}) {
		c.Address = RequestRate{N: 30, Per: time.Second}
	}
	if c.Host == (RequestRate{}) {
		c.Host = RequestRate{N: 30, Per: time.Minute}
	}
	for n, value := range map[*int]int{&c.AddressBurst: defaultAddressBurst, &c.HostBurst: defaultHostBurst, &c.AtOnce: defaultAtOnce, &c.Connections: defaultConnections} {
		if *n == 0 {
			*n = value
		}
	}
	return c
}

// UnixProxy in ServerSettings.TrustedProxies stands for whatever connects to a Unix socket.
const UnixProxy = "unix"

// Proxies are the proxies whose word about the address of a host is taken.
type Proxies struct {
	Networks []netip.Prefix
	Unix     bool
}

// Proxies returns the proxies of TrustedProxies.
func (c ServerSettings) Proxies() (p Proxies, err error) {
	for _, text := range c.TrustedProxies {
		if text == UnixProxy {
			p.Unix = true
			continue
		}
		network, err := netip.ParsePrefix(text)
		if addr, notOne := netip.ParseAddr(text); notOne == nil && addr.Zone() == "" {
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil:
			return p, fmt.Errorf("%q is neither an address, a range such as 10.0.0.0/8, nor %s", text, UnixProxy)
		case network.Bits() == 0:
			return p, errors.New("a range of all addresses would let every host say which address it has")
		case network.Addr().Is4In6():
			return p, fmt.Errorf("%q is an IPv4 address within IPv6: write it as IPv4", text)
		}
		p.Networks = append(p.Networks, network.Masked())
	}
	return p, nil
}
