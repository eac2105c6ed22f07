package main

import (
	"context"
	"net"
	"slices"

	"golang.org/x/net/dns/dnsmessage"
)

// resolveOnly has the names that this process looks up answered by a name server of its own: these are 127.0.0.1,
// and there are no others but those of the hosts file. It answers until the process ends.
func resolveOnly(names ...string) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			if answer := answerName(query[:n], names); answer != nil {
				_, _ = server.WriteTo(answer, from)
			}
		}
	}()
}

// answerName answers a query; nil: it is none.
func answerName(query []byte, names []string) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	switch {
	case !slices.Contains(names, q.Name.String()):
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}
