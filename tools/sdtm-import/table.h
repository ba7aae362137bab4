/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_TABLE_H
#define SDTM_TABLE_H

#include "base/attrs.h"
#include "sdtm-import/csv_scan.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The SDTM tables this program loads and the columns it reads of each. One
 * list per table: the enumerators name the columns in the mappers, the table
 * decides what a file must bring. Columns not listed are ignored.
 *
 * X(table, column, need). need: KEY, part of the natural key, never blank;
 * KEYNUM, the same and a number, so that 1 and 1.0 are one; FILLED, never
 * blank; THERE, the column must exist but may be blank; EXTRA, may be missing;
 * PRIVATE, as EXTRA and never shown in a message.
 */
/* clang-format off */
#define SDTM_DM_COLUMNS(X) \
	X(DM, STUDYID, KEY) X(DM, USUBJID, KEY) X(DM, SITEID, FILLED) \
	X(DM, SUBJID, THERE) X(DM, SEX, THERE) X(DM, AGE, THERE) X(DM, AGEU, EXTRA) \
	X(DM, RACE, EXTRA) X(DM, ETHNIC, EXTRA) X(DM, COUNTRY, EXTRA) \
	X(DM, ARMCD, EXTRA) X(DM, ARM, EXTRA) X(DM, ACTARMCD, EXTRA) \
	X(DM, RFICDTC, EXTRA) X(DM, RFSTDTC, EXTRA) X(DM, RFENDTC, EXTRA) \
	X(DM, RFXSTDTC, EXTRA) X(DM, RFXENDTC, EXTRA) X(DM, DTHDTC, EXTRA) \
	X(DM, DTHFL, EXTRA) X(DM, DSDECOD, EXTRA) X(DM, SITENAME, EXTRA) \
	X(DM, SCRNNO, EXTRA) X(DM, BRTHDTC, PRIVATE) X(DM, FAMILY, PRIVATE) \
	X(DM, GIVEN, PRIVATE) X(DM, PHONE, PRIVATE)
#define SDTM_AE_COLUMNS(X) \
	X(AE, STUDYID, KEY) X(AE, USUBJID, KEY) X(AE, AESEQ, KEYNUM) \
	X(AE, AETERM, FILLED) X(AE, AEDECOD, EXTRA) X(AE, AECAT, EXTRA) \
	X(AE, AEBODSYS, EXTRA) X(AE, AESEV, EXTRA) X(AE, AESER, EXTRA) \
	X(AE, AEOUT, EXTRA) X(AE, AEREL, EXTRA) X(AE, AEACN, EXTRA) \
	X(AE, AESTDTC, THERE) X(AE, AEENDTC, EXTRA) X(AE, VISITNUM, EXTRA) \
	X(AE, VISIT, EXTRA)
#define SDTM_MH_COLUMNS(X) \
	X(MH, STUDYID, KEY) X(MH, USUBJID, KEY) X(MH, MHSEQ, KEYNUM) \
	X(MH, MHTERM, FILLED) X(MH, MHDECOD, EXTRA) X(MH, MHCAT, EXTRA) \
	X(MH, MHBODSYS, EXTRA) X(MH, MHSEV, EXTRA) X(MH, MHSTDTC, EXTRA) \
	X(MH, MHENDTC, EXTRA) X(MH, VISITNUM, EXTRA) X(MH, VISIT, EXTRA)
#define SDTM_CM_COLUMNS(X) \
	X(CM, STUDYID, KEY) X(CM, USUBJID, KEY) X(CM, CMSEQ, KEYNUM) \
	X(CM, CMTRT, FILLED) X(CM, CMDECOD, EXTRA) X(CM, CMCLAS, EXTRA) \
	X(CM, CMINDC, EXTRA) X(CM, CMDOSE, EXTRA) X(CM, CMDOSTXT, EXTRA) \
	X(CM, CMDOSU, EXTRA) X(CM, CMDOSFRQ, EXTRA) X(CM, CMROUTE, EXTRA) \
	X(CM, CMSTDTC, THERE) X(CM, CMENDTC, EXTRA) X(CM, CMENRF, EXTRA) \
	X(CM, CMENRTPT, EXTRA) X(CM, CMSTAT, EXTRA) X(CM, VISITNUM, EXTRA) \
	X(CM, VISIT, EXTRA)
#define SDTM_LB_COLUMNS(X) \
	X(LB, STUDYID, KEY) X(LB, USUBJID, KEY) X(LB, LBSEQ, KEYNUM) \
	X(LB, LBTESTCD, FILLED) X(LB, LBTEST, EXTRA) X(LB, LBCAT, EXTRA) \
	X(LB, LBORRES, THERE) X(LB, LBORRESU, EXTRA) X(LB, LBSTRESC, EXTRA) \
	X(LB, LBSTRESN, EXTRA) X(LB, LBSTRESU, EXTRA) X(LB, LBSTNRLO, EXTRA) \
	X(LB, LBSTNRHI, EXTRA) X(LB, LBNRIND, EXTRA) X(LB, LBBLFL, EXTRA) \
	X(LB, VISITNUM, THERE) X(LB, VISIT, EXTRA) X(LB, LBDTC, THERE) \
	X(LB, LBSPEC, EXTRA) X(LB, LBSTAT, EXTRA) X(LB, LBLOC, EXTRA) \
	X(LB, LBTPT, EXTRA) X(LB, LBNAM, EXTRA)
#define SDTM_VS_COLUMNS(X) \
	X(VS, STUDYID, KEY) X(VS, USUBJID, KEY) X(VS, VSSEQ, KEYNUM) \
	X(VS, VSTESTCD, FILLED) X(VS, VSTEST, EXTRA) X(VS, VSCAT, EXTRA) \
	X(VS, VSORRES, THERE) X(VS, VSORRESU, EXTRA) X(VS, VSSTRESC, EXTRA) \
	X(VS, VSSTRESN, EXTRA) X(VS, VSSTRESU, EXTRA) X(VS, VSSTNRLO, EXTRA) \
	X(VS, VSSTNRHI, EXTRA) X(VS, VSNRIND, EXTRA) X(VS, VSBLFL, EXTRA) \
	X(VS, VISITNUM, THERE) X(VS, VISIT, EXTRA) X(VS, VSDTC, THERE) \
	X(VS, VSPOS, EXTRA) X(VS, VSSTAT, EXTRA) X(VS, VSLOC, EXTRA) X(VS, VSTPT, EXTRA)
#define SDTM_SV_COLUMNS(X) \
	X(SV, STUDYID, KEY) X(SV, USUBJID, KEY) X(SV, VISITNUM, KEYNUM) \
	X(SV, VISIT, EXTRA) X(SV, VISITDY, EXTRA) X(SV, SVSTDTC, KEY) \
	X(SV, SVENDTC, EXTRA) X(SV, SVSTDY, EXTRA) X(SV, SVENDY, EXTRA) \
	X(SV, SVUPDES, EXTRA)
/* clang-format on */

#define SDTM_COLUMN_ENUM(table, column, need) table##_##column,
enum sdtm_dm_column { SDTM_DM_COLUMNS(SDTM_COLUMN_ENUM) DM_COLUMNS_N };
enum sdtm_ae_column { SDTM_AE_COLUMNS(SDTM_COLUMN_ENUM) AE_COLUMNS_N };
enum sdtm_mh_column { SDTM_MH_COLUMNS(SDTM_COLUMN_ENUM) MH_COLUMNS_N };
enum sdtm_cm_column { SDTM_CM_COLUMNS(SDTM_COLUMN_ENUM) CM_COLUMNS_N };
enum sdtm_lb_column { SDTM_LB_COLUMNS(SDTM_COLUMN_ENUM) LB_COLUMNS_N };
enum sdtm_vs_column { SDTM_VS_COLUMNS(SDTM_COLUMN_ENUM) VS_COLUMNS_N };
enum sdtm_sv_column { SDTM_SV_COLUMNS(SDTM_COLUMN_ENUM) SV_COLUMNS_N };
enum { SDTM_COLUMNS_MAX = 32 }; /* of one table */

/* In the order they are loaded: subjects first. */
enum sdtm_table_id {
	SDTM_DM,
	SDTM_AE,
	SDTM_MH,
	SDTM_CM,
	SDTM_LB,
	SDTM_VS,
	SDTM_SV,
	SDTM_TABLES_N,
};

enum sdtm_need { /* up to FILLED: never blank */
		 SDTM_NEED_KEY,
		 SDTM_NEED_KEYNUM,
		 SDTM_NEED_FILLED,
		 SDTM_NEED_THERE,
		 SDTM_NEED_EXTRA,
		 SDTM_NEED_PRIVATE,
};

struct sdtm_column {
	const char *name;
	enum sdtm_need need;
};

struct sdtm_table {
	enum sdtm_table_id id;
	const char *name;  /* "lb": of the file, too */
	const char *items; /* what its rows become, in the plural */
	const struct sdtm_column *columns;
	uint32_t columns_n;
	bool grouped; /* several rows make one item */
};

const struct sdtm_table *sdtm_table(enum sdtm_table_id id);

/* Which field of a file's rows holds which column. */
struct sdtm_binding {
	const struct sdtm_table *table;
	int32_t field[SDTM_COLUMNS_MAX]; /* -1: the file has no such column */
	uint32_t fields_n;               /* every row must have as many */
};

/* Column names of any case, with blanks around them. False: a column that is
 * needed is missing, or one that is known comes twice; `why` (at least 256
 * bytes) names it. */
CT_MUST_USE bool sdtm_bind(const struct sdtm_table *table, const struct sdtm_csv_row *header,
			   struct sdtm_binding *ret_binding, char *why, size_t why_size);

#endif
