#include <cstdio>

int main() {
    std::puts("nostro");
    return 0;
}
