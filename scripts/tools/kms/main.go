// Command kms is a double of AWS KMS for tests: github.com/nsmithuk/local-kms, on a port of the loopback
// interface that it prints. It has a module apart from that of the programs, which it shares nothing
// with. It ends when its standard input does.
//
// usage: kms FOLDER REGION
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	kms "github.com/nsmithuk/local-kms/src"
	"github.com/nsmithuk/local-kms/src/config"
	"github.com/nsmithuk/local-kms/src/data"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: kms FOLDER REGION")
	}
	config.DatabasePath, config.AWSRegion, config.AWSAccountId = os.Args[1], os.Args[2], "111122223333"
	database := data.NewDatabase(config.DatabasePath)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kms.HandleRequest(w, r, database)
	})))
}
