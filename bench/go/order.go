// The mail of `bench.mail` in Go: what it says, and the entities it is made of.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"os"
	"strconv"
	"sync"
	texttemplate "text/template"
)

var subject = texttemplate.Must(texttemplate.New("subject").Parse(`Order {{.number}}: thank you, {{.name}}`))
var text = texttemplate.Must(texttemplate.New("text").Parse(`Hello {{.name}},

thank you for your order {{.number}}.

{{range .rows}}{{.quantity}} x {{.title}}  {{.price}}
{{end}}
Total: {{.total}}

{{.shop}}
`))
var html = htmltemplate.Must(htmltemplate.New("html").Parse(`<html><body><p>Hello {{.name}},</p>
<p>thank you for your order <b>{{.number}}</b>.</p>
<table>
{{range .rows}}<tr><td>{{.quantity}}</td><td>{{.title}}</td><td align="right">{{.price}}</td></tr>
{{end}}</table>
<p>Total: {{.total}}</p>
<p>{{.shop}}</p></body></html>
`))

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func named(order map[string]any) map[string]any {
	order["name"] = order["first_name"].(string) + " " + order["last_name"].(string)
	return order
}

func totalled(order map[string]any) map[string]any {
	cents := int(order["cents"].(float64))
	order["total"] = fmt.Sprintf("%d.%02d", cents/100, cents%100)
	return order
}

type job struct {
	number int
	line   []byte
}

func (job job) order() map[string]any {
	var entity map[string]any
	must(json.Unmarshal(job.line, &entity))
	return totalled(named(entity))
}

func main() {
	port, err := strconv.Atoi(os.Args[1])
	must(err)
	connections, err := strconv.Atoi(os.Args[2])
	must(err)
	file, err := os.Open(os.Args[3])
	must(err)
	deliver := deliverer(port, connections)
	jobs := make(chan job, 4*connections)
	var done sync.WaitGroup
	for each := 0; each < connections; each++ {
		done.Add(1)
		go func() {
			defer done.Done()
			deliver(jobs)
		}()
	}
	lines := bufio.NewScanner(bufio.NewReaderSize(file, 1<<20))
	for number := 0; lines.Scan(); number++ {
		jobs <- job{number, append([]byte(nil), lines.Bytes()...)}
	}
	must(lines.Err())
	close(jobs)
	done.Wait()
}
