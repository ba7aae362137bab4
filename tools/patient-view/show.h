/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATIENT_VIEW_SHOW_H
#define PATIENT_VIEW_SHOW_H

#include "clinic/v1/patient.pb-c.h"

#include <stddef.h>

/* Prints a full view on stdout, at most rows_max rows of each section (0: all). */
void view_show(const Clinic__V1__GetPatientDetailResponse *view, size_t rows_max);

#endif
