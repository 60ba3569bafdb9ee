// Matrix products of our own against OpenBLAS; see products.c.
void products(void);
