/* SPDX-License-Identifier: Apache-2.0 */
#include "study-gen/lists.h"

#include "base/attrs.h"

#include <stddef.h>

static const char *const cn_families[] = {
	"张", "王", "李", "赵", "刘", "陈", "杨", "黄", "周", "吴",
	"徐", "孙", "马", "朱", "胡", "林", "郭", "何", "高", "欧阳",
};
static const char *const cn_women[] = {
	"秀英", "桂兰", "敏", "静", "丽", "芳", "玉兰", "淑珍", "雪梅", "小红", "婷婷", "晓燕",
};
static const char *const cn_men[] = {
	"三", "伟", "建国", "志强", "军", "明", "德华", "国庆", "小明", "文斌", "海涛", "家辉",
};
static const char *const en_families[] = {
	"Doe", "Roe", "Bloggs", "Example", "Sample", "O'Nobody", "Placeholder", "Smith-Test",
};
static const char *const en_women[] = { "Jane", "Mary", "Ann", "Jo", "Ruth", "Ellen" };
static const char *const en_men[] = { "John", "Richard", "Joe", "Sam", "Tom", "Fred" };
static const char *const de_families[] = { "Mustermann", "Müller-Beispiel", "Groß", "Özdemir" };
static const char *const de_women[] = { "Erika", "Sabine", "Käthe", "Ülkü" };
static const char *const de_men[] = { "Max", "Jürgen", "Otto", "Jörg" };
static const char *const fr_families[] = { "Dupont", "L'Exemple", "Lefèvre", "Noël" };
static const char *const fr_women[] = { "Zoé", "Hélène", "Marie-Ève", "Chloé" };
static const char *const fr_men[] = { "Jean", "André", "François", "Loïc" };
static const char *const jp_families[] = { "山田", "鈴木", "佐藤", "見本" };
static const char *const jp_women[] = { "花子", "さくら", "ゆき", "恵" };
static const char *const jp_men[] = { "太郎", "一郎", "健", "ケンジ" };

#define NAMES(tongue)                                                                        \
	{                                                                                    \
		.families = tongue##_families, .women = tongue##_women, .men = tongue##_men, \
		.families_n = CT_ARRAY_N(tongue##_families),                                 \
		.women_n = CT_ARRAY_N(tongue##_women), .men_n = CT_ARRAY_N(tongue##_men),    \
	}
static const struct gen_names cn = NAMES(cn);
static const struct gen_names en = NAMES(en);
static const struct gen_names de = NAMES(de);
static const struct gen_names fr = NAMES(fr);
static const struct gen_names jp = NAMES(jp);

#define CN_SITE(id, name)                                               \
	{                                                               \
		id, name, "CHN", "ASIAN", "000-0000-", &cn, false, true \
	}
const struct gen_site gen_sites[GEN_SITES_N] = {
	CN_SITE("101", "协和医院"),
	CN_SITE("102", "第一人民医院"),
	CN_SITE("103", "示例大学附属医院"),
	{ "201", "Example Clinic, West Wing", "USA", "WHITE", "+1-000-000-", &en, true, false },
	CN_SITE("104", "中医院（东院区）"),
	{ "301", "Klinikum Musterstadt", "DEU", "WHITE", "+49-0000-", &de, false, false },
	CN_SITE("105", "儿童与老年示范医院"),
	{ "401", "Hôpital de l'Exemple", "FRA", "WHITE", "+33-0000-", &fr, false, false },
	CN_SITE("106", "江南医院"),
	{ "501", "見本病院", "JPN", "ASIAN", "+81-0000-", &jp, false, false },
	CN_SITE("107", "第二人民医院"),
	{ "202", "Northern \"Sample\" Hospital", "USA", "BLACK OR AFRICAN AMERICAN", "+1-000-000-",
	  &en, true, false },
};

#define NERVES "NERVOUS SYSTEM DISORDERS"
#define GUT "GASTROINTESTINAL DISORDERS"
#define SKIN "SKIN AND SUBCUTANEOUS TISSUE DISORDERS"
#define GENERAL "GENERAL DISORDERS AND ADMINISTRATION SITE CONDITIONS"
#define HEART "CARDIAC DISORDERS"
#define LUNG "RESPIRATORY, THORACIC AND MEDIASTINAL DISORDERS"
#define BONES "MUSCULOSKELETAL AND CONNECTIVE TISSUE DISORDERS"
#define INFECTION "INFECTIONS AND INFESTATIONS"
#define MIND "PSYCHIATRIC DISORDERS"
#define METABOLISM "METABOLISM AND NUTRITION DISORDERS"
#define VESSELS "VASCULAR DISORDERS"
#define SURGERY "SURGICAL AND MEDICAL PROCEDURES"

const struct gen_term gen_events[GEN_EVENTS_N] = {
	{ "HEADACHE", "头痛", NERVES },
	{ "DIZZINESS", "头晕", NERVES },
	{ "SOMNOLENCE", "嗜睡", NERVES },
	{ "TREMOR", "手抖", NERVES },
	{ "NAUSEA", "恶心", GUT },
	{ "VOMITING", "呕吐", GUT },
	{ "DIARRHOEA", "腹泻", GUT },
	{ "CONSTIPATION", "便秘", GUT },
	{ "DRY MOUTH", "口干", GUT },
	{ "RASH", "皮疹", SKIN },
	{ "PRURITUS", "瘙痒", SKIN },
	{ "HYPERHIDROSIS", "多汗", SKIN },
	{ "FATIGUE", "乏力", GENERAL },
	{ "PYREXIA", "发热", GENERAL },
	{ "INJECTION SITE REACTION", "注射部位反应", GENERAL },
	{ "PALPITATIONS", "心悸", HEART },
	{ "BRADYCARDIA", "心动过缓", HEART },
	{ "COUGH", "咳嗽", LUNG },
	{ "DYSPNOEA", "呼吸困难", LUNG },
	{ "ARTHRALGIA", "关节痛", BONES },
	{ "BACK PAIN", "背痛", BONES },
	{ "NASOPHARYNGITIS", "鼻咽炎", INFECTION },
	{ "INSOMNIA", "失眠", MIND },
	{ "DECREASED APPETITE", "食欲减退", METABOLISM },
};

const struct gen_term gen_history[GEN_HISTORY_N] = {
	{ "HYPERTENSION", "高血压", VESSELS },
	{ "TYPE 2 DIABETES MELLITUS", "2型糖尿病", METABOLISM },
	{ "HYPERLIPIDAEMIA", "高脂血症", METABOLISM },
	{ "GOUT", "痛风", METABOLISM },
	{ "MIGRAINE", "偏头痛", NERVES },
	{ "EPILEPSY", "癫痫", NERVES },
	{ "GASTRITIS", "胃炎", GUT },
	{ "GASTRIC ULCER", "胃溃疡", GUT },
	{ "CHOLELITHIASIS", "胆结石", GUT },
	{ "ECZEMA", "湿疹", SKIN },
	{ "PSORIASIS", "银屑病", SKIN },
	{ "ATRIAL FIBRILLATION", "房颤", HEART },
	{ "CORONARY ARTERY DISEASE", "冠心病", HEART },
	{ "ASTHMA", "哮喘", LUNG },
	{ "CHRONIC BRONCHITIS", "慢性支气管炎", LUNG },
	{ "OSTEOARTHRITIS", "骨关节炎", BONES },
	{ "OSTEOPOROSIS", "骨质疏松", BONES },
	{ "HEPATITIS B", "乙型肝炎", INFECTION },
	{ "PNEUMONIA", "肺炎", INFECTION },
	{ "DEPRESSION", "抑郁症", MIND },
	{ "ANXIETY", "焦虑症", MIND },
	{ "APPENDICECTOMY", "阑尾切除术", SURGERY },
	{ "CATARACT OPERATION", "白内障手术", SURGERY },
	{ "KNEE ARTHROPLASTY", "膝关节置换术", SURGERY },
};

const struct gen_drug gen_drugs[GEN_DRUGS_N] = {
	{ "ASPIRIN", "ACETYLSALICYLIC ACID", "BLOOD", "100", "mg", "QD", "ORAL" },
	{ "阿司匹林", "ACETYLSALICYLIC ACID", "BLOOD", "100", "mg", "QD", "ORAL" },
	{ "METFORMIN", "METFORMIN", "ALIMENTARY TRACT AND METABOLISM", "500", "mg", "BID", "ORAL" },
	{ "二甲双胍", "METFORMIN", "ALIMENTARY TRACT AND METABOLISM", "500", "mg", "BID", "ORAL" },
	{ "AMLODIPINE", "AMLODIPINE", "CARDIOVASCULAR SYSTEM", "5", "mg", "QD", "ORAL" },
	{ "氨氯地平", "AMLODIPINE", "CARDIOVASCULAR SYSTEM", "5", "mg", "QD", "ORAL" },
	{ "ATORVASTATIN", "ATORVASTATIN", "CARDIOVASCULAR SYSTEM", "20", "mg", "QD", "ORAL" },
	{ "METOPROLOL", "METOPROLOL", "CARDIOVASCULAR SYSTEM", "47.5", "mg", "QD", "ORAL" },
	{ "OMEPRAZOLE", "OMEPRAZOLE", "ALIMENTARY TRACT AND METABOLISM", "20", "mg", "QD", "ORAL" },
	{ "VITAMIN D", "COLECALCIFEROL", "ALIMENTARY TRACT AND METABOLISM", "1000", "IU", "QD",
	  "ORAL" },
	{ "CALCIUM, CHEWABLE", "CALCIUM", "ALIMENTARY TRACT AND METABOLISM", "1", "TABLET", "QD",
	  "ORAL" },
	{ "INSULIN", "INSULIN GLARGINE", "ALIMENTARY TRACT AND METABOLISM", "0.2", "IU/kg", "QD",
	  "SUBCUTANEOUS" },
	{ "PARACETAMOL", "PARACETAMOL", "NERVOUS SYSTEM", "500", "mg", "PRN", "ORAL" },
	{ "IBUPROFEN", "IBUPROFEN", "MUSCULO-SKELETAL SYSTEM", "400", "mg", "PRN", "ORAL" },
	{ "SALBUTAMOL", "SALBUTAMOL", "RESPIRATORY SYSTEM", "2", "PUFF", "PRN",
	  "RESPIRATORY (INHALATION)" },
	{ "LEVOTHYROXINE", "LEVOTHYROXINE", "HORMONES", "75", "ug", "QD", "ORAL" },
	{ "SERTRALINE", "SERTRALINE", "NERVOUS SYSTEM", "50", "mg", "QD", "ORAL" },
	{ "ZOLPIDEM", "ZOLPIDEM", "NERVOUS SYSTEM", "5", "mg", "QN", "ORAL" },
	{ "AMOXICILLIN", "AMOXICILLIN", "ANTIINFECTIVES", "500", "mg", "TID", "ORAL" },
	{ "HYDROCORTISONE CREAM 1%", "HYDROCORTISONE", "DERMATOLOGICALS", "1", "%", "BID",
	  "TOPICAL" },
	{ "EYE DROPS", "UNCODED", "UNCODED", "", "", "PRN", "OPHTHALMIC" },
	{ "六味地黄丸", "UNCODED", "UNCODED", "8", "PILL", "TID", "ORAL" },
	{ "GINKGO", "GINKGO BILOBA LEAF", "NERVOUS SYSTEM", "40", "mg", "TID", "ORAL" },
	{ "MULTIVITAMIN", "MULTIVITAMINS", "ALIMENTARY TRACT AND METABOLISM", "1", "TABLET", "QD",
	  "ORAL" },
};

#define CHEM "CHEMISTRY"
#define BLOOD "HEMATOLOGY"
#define URINE "URINALYSIS"
/* clang-format off */
const struct gen_test gen_tests[GEN_TESTS_N] = {
	{ "ALB", "Albumin", CHEM, "g/dL", "g/L", 35, 50, 1, 10, 1, 0 },
	{ "ALP", "Alkaline Phosphatase", CHEM, "U/L", "U/L", 40, 129, 0, 1, 1, 0 },
	{ "ALT", "Alanine Aminotransferase", CHEM, "U/L", "U/L", 5, 40, 0, 1, 1, 0 },
	{ "AST", "Aspartate Aminotransferase", CHEM, "U/L", "U/L", 5, 40, 0, 1, 1, 0 },
	{ "GGT", "Gamma Glutamyl Transferase", CHEM, "U/L", "U/L", 8, 60, 0, 1, 1, 0 },
	{ "BILI", "Bilirubin", CHEM, "mg/dL", "umol/L", 2, 12, 1, 17104, 1000, 2 },
	{ "BUN", "Blood Urea Nitrogen", CHEM, "mg/dL", "mmol/L", 7, 20, 0, 357, 1000, 2 },
	{ "CA", "Calcium", CHEM, "mg/dL", "mmol/L", 86, 102, 1, 2495, 10000, 3 },
	{ "CHOL", "Cholesterol", CHEM, "mg/dL", "mmol/L", 120, 200, 0, 2586, 100000, 3 },
	{ "CREAT", "Creatinine", CHEM, "mg/dL", "umol/L", 60, 120, 2, 884, 10, 1 },
	{ "GLUC", "Glucose", CHEM, "mg/dL", "mmol/L", 70, 99, 0, 555, 10000, 2 },
	{ "K", "Potassium", CHEM, "mmol/L", "mmol/L", 35, 51, 1, 1, 1, 1 },
	{ "SODIUM", "Sodium", CHEM, "mmol/L", "mmol/L", 136, 145, 0, 1, 1, 0 },
	{ "CL", "Chloride", CHEM, "mmol/L", "mmol/L", 98, 107, 0, 1, 1, 0 },
	{ "PROT", "Protein", CHEM, "g/dL", "g/L", 60, 83, 1, 10, 1, 0 },
	{ "URATE", "Urate", CHEM, "mg/dL", "umol/L", 34, 70, 1, 5948, 100, 1 },
	{ "CK", "Creatine Kinase", CHEM, "U/L", "U/L", 30, 200, 0, 1, 1, 0 },
	{ "CRP", "C Reactive Protein", CHEM, "mg/L", "mg/L", 0, 50, 1, 1, 1, 1 },
	{ "HGB", "Hemoglobin", BLOOD, "g/dL", "g/L", 120, 160, 1, 10, 1, 0 },
	{ "HCT", "Hematocrit", BLOOD, "%", "1", 360, 480, 1, 1, 100, 3 },
	{ "RBC", "Erythrocytes", BLOOD, "10^12/L", "10^12/L", 40, 55, 1, 1, 1, 1 },
	{ "WBC", "Leukocytes", BLOOD, "10^9/L", "10^9/L", 40, 100, 1, 1, 1, 1 },
	{ "PLAT", "Platelets", BLOOD, "10^9/L", "10^9/L", 150, 400, 0, 1, 1, 0 },
	{ "MCV", "Mean Corpuscular Volume", BLOOD, "fL", "fL", 80, 100, 0, 1, 1, 0 },
	{ "LYM", "Lymphocytes", BLOOD, "10^9/L", "10^9/L", 100, 400, 2, 1, 1, 2 },
	{ "NEUT", "Neutrophils", BLOOD, "10^9/L", "10^9/L", 200, 700, 2, 1, 1, 2 },
	{ "EOS", "Eosinophils", BLOOD, "10^9/L", "10^9/L", 0, 50, 2, 1, 1, 2 },
	{ "PH", "pH", URINE, "NO UNITS", "", 50, 80, 1, 1, 1, 1 },
	{ "SPGRAV", "Specific Gravity", URINE, "NO UNITS", "", 1005, 1030, 3, 1, 1, 3 },
	{ "TSH", "Thyrotropin", "OTHER", "mIU/L", "mIU/L", 40, 400, 2, 1, 1, 2 },
	{ "HBA1C", "Hemoglobin A1C", "", "%", "1", 40, 60, 1, 1, 100, 3 },
};
/* clang-format on */
