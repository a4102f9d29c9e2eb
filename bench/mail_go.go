// Go's net/smtp with a pool of connections, composing the mail of `bench.mail`: mail_go PORT CONNECTIONS FILE.
// Nothing is durable.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"os"
	"strconv"
	"sync"
	texttemplate "text/template"
	"time"
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

func compose(out *bytes.Buffer, number int, order map[string]any) {
	var rendered bytes.Buffer
	must(subject.Execute(&rendered, order))
	to := mail.Address{Name: order["name"].(string), Address: order["email"].(string)}
	parts := multipart.NewWriter(out)
	fmt.Fprintf(out, "From: Example <post@example.com>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%d@example.com>\r\n"+
		"Date: %s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=%s\r\n\r\n",
		to.String(), mime.QEncoding.Encode("utf-8", rendered.String()), number,
		time.Now().Format(time.RFC1123Z), parts.Boundary())
	part := func(kind string, content []byte) {
		head := textproto.MIMEHeader{}
		head.Set("Content-Type", kind+"; charset=utf-8")
		head.Set("Content-Transfer-Encoding", "quoted-printable")
		into, err := parts.CreatePart(head)
		must(err)
		quoted := quotedprintable.NewWriter(into)
		_, err = quoted.Write(content)
		must(err)
		must(quoted.Close())
	}
	rendered.Reset()
	must(text.Execute(&rendered, order))
	part("text/plain", rendered.Bytes())
	rendered.Reset()
	must(html.Execute(&rendered, order))
	part("text/html", rendered.Bytes())
	must(parts.Close())
}

type job struct {
	number int
	line   []byte
}

func worker(port string, jobs <-chan job, done *sync.WaitGroup) {
	defer done.Done()
	client, err := smtp.Dial("127.0.0.1:" + port)
	must(err)
	var content bytes.Buffer
	for job := range jobs {
		var entity map[string]any
		must(json.Unmarshal(job.line, &entity))
		order := totalled(named(entity))
		content.Reset()
		compose(&content, job.number, order)
		must(client.Mail("post@example.com"))
		must(client.Rcpt(order["email"].(string)))
		data, err := client.Data()
		must(err)
		_, err = data.Write(content.Bytes())
		must(err)
		must(data.Close())
	}
	must(client.Quit())
}

func main() {
	connections, err := strconv.Atoi(os.Args[2])
	must(err)
	file, err := os.Open(os.Args[3])
	must(err)
	jobs := make(chan job, 4*connections)
	var done sync.WaitGroup
	for each := 0; each < connections; each++ {
		done.Add(1)
		go worker(os.Args[1], jobs, &done)
	}
	lines := bufio.NewScanner(bufio.NewReaderSize(file, 1<<20))
	for number := 0; lines.Scan(); number++ {
		jobs <- job{number, append([]byte(nil), lines.Bytes()...)}
	}
	must(lines.Err())
	close(jobs)
	done.Wait()
}
