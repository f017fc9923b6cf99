/* Numbers and times as text, and copying, for programs without a C library. */
#ifndef DELOS_TEXT_H
#define DELOS_TEXT_H

#include "syscall.h"

/* A loop of our own would be made a call of memcpy by the compiler. */
static inline void copy(void *to, const void *from, unsigned long length)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
}

static inline unsigned long length_of(const char *text)
{
	unsigned long length = 0;
	while (text[length])
		length++;
	return length;
}

/* Appends at `at`; gives what is behind it. */
static inline char *put_text(char *at, const char *text)
{
	unsigned long length = length_of(text);
	copy(at, text, length);
	return at + length;
}

/* At least `digits` of them, with zeros in front. */
static inline char *put_number(char *at, unsigned long value, int digits)
{
	char reversed[20];
	int count = 0;
	do
		reversed[count++] = (char)('0' + value % 10);
	while (value /= 10);
	for (int i = digits; i > count; i--)
		*at++ = '0';
	while (count > 0)
		*at++ = reversed[--count];
	return at;
}

/* The number that the text begins with. */
static inline unsigned long number_at(const char *text)
{
	unsigned long value = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned long)(*text - '0');
	return value;
}

struct moment {
	long seconds, nanoseconds;
};

static inline struct moment now(void)
{
	struct moment moment;
	call2(__NR_clock_gettime, 0 /* CLOCK_REALTIME */, &moment);
	return moment;
}

/* RFC 3339 in UTC with nanoseconds, in the Gregorian calendar; 30 characters. */
static inline char *put_time(char *at, struct moment moment)
{
	unsigned long days = (unsigned long)moment.seconds / 86400, second = (unsigned long)moment.seconds % 86400;
	/* Counted from 1 March of the year 0, so that the leap day ends the year. */
	unsigned long z = days + 719468, era = z / 146097, of_era = z % 146097;
	unsigned long year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned long day = of_era - (365 * year + year / 4 - year / 100), march = (5 * day + 2) / 153;
	unsigned long month = march < 10 ? march + 3 : march - 9;
	at = put_number(at, year + era * 400 + (month <= 2), 4);
	*at++ = '-';
	at = put_number(at, month, 2);
	*at++ = '-';
	at = put_number(at, day - (153 * march + 2) / 5 + 1, 2);
	*at++ = 'T';
	at = put_number(at, second / 3600, 2);
	*at++ = ':';
	at = put_number(at, second / 60 % 60, 2);
	*at++ = ':';
	at = put_number(at, second % 60, 2);
	*at++ = '.';
	at = put_number(at, (unsigned long)moment.nanoseconds, 9);
	*at++ = 'Z';
	return at;
}

#endif
