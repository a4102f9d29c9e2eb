// Nodemailer's pool composing the mail of `bench.mail`: mail_node.cjs PORT CONNECTIONS FILE. Nothing is durable.
"use strict";
const fs = require("node:fs");
const readline = require("node:readline");
const nodemailer = require("nodemailer");
const handlebars = require("handlebars");

const [port, connections, file] = process.argv.slice(2);
const subject = handlebars.compile("Order {{{number}}}: thank you, {{{name}}}", { noEscape: true });
const text = handlebars.compile(
  "Hello {{name}},\n\nthank you for your order {{number}}.\n\n" +
    "{{#each rows}}{{quantity}} x {{title}}  {{price}}\n{{/each}}\nTotal: {{total}}\n\n{{shop}}\n",
  { noEscape: true },
);
const html = handlebars.compile(
  "<html><body><p>Hello {{name}},</p>\n<p>thank you for your order <b>{{number}}</b>.</p>\n<table>\n" +
    '{{#each rows}}<tr><td>{{quantity}}</td><td>{{title}}</td><td align="right">{{price}}</td></tr>\n{{/each}}' +
    "</table>\n<p>Total: {{total}}</p>\n<p>{{shop}}</p></body></html>\n",
);

function named(order) {
  order.name = `${order.first_name} ${order.last_name}`;
  return order;
}

function totalled(order) {
  const cents = order.cents;
  order.total = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
  return order;
}

async function main() {
  const transport = nodemailer.createTransport({
    pool: true,
    host: "127.0.0.1",
    port: Number(port),
    ignoreTLS: true,
    maxConnections: Number(connections),
    maxMessages: Infinity,
  });
  const most = 4 * Number(connections);
  const underway = new Set();
  for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) {
    const order = totalled(named(JSON.parse(line)));
    const sent = transport.sendMail({
      from: "Example <post@example.com>",
      to: { name: order.name, address: order.email },
      subject: subject(order),
      text: text(order),
      html: html(order),
    });
    underway.add(sent);
    sent.then(() => underway.delete(sent));
    if (underway.size >= most) await Promise.race(underway);
  }
  await Promise.all(underway);
  transport.close();
}

main();
