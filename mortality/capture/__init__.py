"""Entry and correction of single deaths: the form as catalog data, the sealed draft, the app, the Excel template.

fields, typed     the form, and what people type into it
records, journal  the record in work; the sealed draft that survives a crash
checking, icd     sentences beside a field; codes for the words
queue, same       stored records that have findings; records of the same person
workbook, handin  the workbook (template and hand-in are one); its way through the door
place, app, page  who works for which commune; the widget; its HTML
"""
