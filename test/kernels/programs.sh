# Programs that calculate, and tell what they found: the same on every processor that is right.
export LC_ALL=C
for digest in md5 sha1 sha256 sha512 blake2b512; do openssl dgst -$digest /usr/bin/perl; done
key=000102030405060708090a0b0c0d0e0f
for cipher in aes-128-cbc aes-128-ctr camellia-128-cbc; do openssl enc -$cipher -K $key -iv $key -in /usr/bin/perl | openssl dgst -sha256; done
openssl enc -chacha20 -K $key$key -iv $key -in /usr/bin/perl | openssl dgst -sha256
openssl prime -hex FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7
perl -e '
  my ($sum, %seen) = (0);
  for my $i (1 .. 20000) { $seen{$i * 7919 % 10007} += sqrt($i) * sin($i) }
  $sum += $seen{$_} * $_ for sort { $a <=> $b } keys %seen;
  printf "%.17g of %d keys\n", $sum, scalar keys %seen;
  my $text = join ",", map { sprintf "%.15g", exp($_ / 7) * log($_ + 1) / ($_ + 0.5) ** 1.3 + atan2($_, 3) } 1 .. 300;
  printf "%d characters, %d\n", length $text, unpack "%32C*", $text;
  (my $turned = $text) =~ s/(\d)(\d)/$2$1/g;
  printf "%d, %s\n", unpack("%32C*", pack "d*", split /,/, $text), substr $turned, 0, 60;
  sub ackermann { my ($m, $n) = @_; $m == 0 ? $n + 1 : $n == 0 ? ackermann($m - 1, 1) : ackermann($m - 1, ackermann($m, $n - 1)) }
  printf "%d, %.20g, %s\n", ackermann(2, 60), 2 ** 0.5, 9007199254740993 * 3 % 1000003;
'
