import { type IpAddress, inRange, parseIp, parseRange } from "./ip-address.ts";

/** Ranges that are not the public internet (IANA special-purpose registries); mapped IPv4 is judged as IPv4. */
const reserved = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001:db8::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
].map(parseRange);

/** Whether connections to `address` would stay inside: loopback, private, link-local, multicast, documentation, translation ranges. */
export function isReservedAddress(address: IpAddress): boolean {
  return reserved.some((range) => inRange(address, range));
}

/** As {@link isReservedAddress}; text that is no address counts as reserved. */
export function isReservedAddressText(text: string): boolean {
  const address = parseIp(text);
  return address === undefined || isReservedAddress(address);
}
