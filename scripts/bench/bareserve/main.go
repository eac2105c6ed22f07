// Command bareserve is the floor for "kedge serve": the least handler of net/http that returns
// the bytes of a file. It prints its URL.
//
// usage: bareserve FILE
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%s/v1/credentials/bench\n", l.Addr())
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data)
	})))
}
